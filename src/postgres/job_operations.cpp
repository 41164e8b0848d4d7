// The part of JobTransaction that operators of the whole queue call for.
#include <map>

#include "postgres/job_pauses.hpp"
#include "postgres/job_transaction.hpp"

namespace aiserve::inline v0::pg {
namespace {

constexpr const char* kQueues =
    R"sql(SELECT kind, tenant, sum(waiting)::bigint, sum(ready)::bigint, sum(running)::bigint
          FROM aiserve.job_count GROUP BY kind, tenant
          HAVING sum(waiting) <> 0 OR sum(ready) <> 0 OR sum(running) <> 0)sql";
constexpr const char* kTotals =
    R"sql(SELECT (SELECT count(*) FROM aiserve.job_done),
            (SELECT count(*) FROM aiserve.job_done WHERE state = 6),
            (SELECT count(*) FROM aiserve.job_worker WHERE lease_until > aiserve.now_ns()))sql";
constexpr const char* kEventCount = R"sql(SELECT count(*) FROM aiserve.job_event)sql";
constexpr const char* kPause =
    R"sql(INSERT INTO aiserve.job_pause (kind) VALUES ($1) ON CONFLICT DO NOTHING)sql";
constexpr const char* kResume = R"sql(DELETE FROM aiserve.job_pause WHERE kind = $1)sql";
constexpr const char* kResumeAll = R"sql(DELETE FROM aiserve.job_pause)sql";
constexpr const char* kPrune =
    R"sql(DELETE FROM aiserve.job_done WHERE (tenant, id, finished_at) IN (
            SELECT tenant, id, finished_at FROM aiserve.job_done WHERE finished_at < $1
            ORDER BY finished_at LIMIT $2))sql";

// In one statement, so that all is of one moment.
constexpr const char* kWrong =
    R"sql(SELECT
            (SELECT count(*) FROM (
              SELECT kind, tenant FROM (
                SELECT kind, tenant, (state IN (0, 3))::integer::bigint AS waiting,
                  (state = 1)::integer::bigint AS ready, (state = 2)::integer::bigint AS running
                FROM aiserve.job
                UNION ALL
                SELECT kind, tenant, -waiting, -ready, -running FROM aiserve.job_count) AS counted
              GROUP BY kind, tenant
              HAVING sum(waiting) <> 0 OR sum(ready) <> 0 OR sum(running) <> 0) AS queue),
            (SELECT count(*) FROM aiserve.job AS behind
             WHERE behind.blocked > 0 AND NOT EXISTS (
               SELECT FROM aiserve.job AS first
               WHERE first.tenant = behind.tenant AND first.kind = behind.kind
                 AND first.order_key = behind.order_key AND first.blocked = 0)))sql";

using Kinds = std::map<std::string, JobKindStats, std::less<>>;

JobKindStats& row_of(Kinds& kinds, std::string_view kind) {
  const auto [row, first] = kinds.try_emplace(std::string(kind));
  if (first) row->second.kind = kind;
  return row->second;
}

void add_queues(const Rows& queues, Kinds& kinds) {
  for (int i = 0; i < queues.size(); ++i) {
    JobKindStats& row = row_of(kinds, queues.text(i, 0));
    row.waiting += queues.integer(i, 2);
    row.ready += queues.integer(i, 3);
    row.running += queues.integer(i, 4);
  }
}

/// `oldest`: what kOldest answered for all the queues.
void add_ages(const Rows& queues, const Rows& oldest, Kinds& kinds) {
  for (int i = 0; i < oldest.size(); ++i) {
    const auto queue = static_cast<int>(oldest.integer(i, 0)) - 1;
    const WallTime since(std::chrono::nanoseconds(oldest.integer(i, 1)));
    std::optional<WallTime>& known = row_of(kinds, queues.text(queue, 0)).oldest;
    known = std::min(known.value_or(since), since);
  }
}

}  // namespace

JobStoreStats JobTransaction::stats() {
  transaction_.as_dispatcher();
  const std::size_t pauses = transaction_.add(kPauses);
  const std::size_t totals = transaction_.add(kTotals);
  const std::size_t counted = transaction_.add(kQueues);
  const std::vector<Rows> answers = transaction_.flush();
  const Rows& queues = answers[counted];
  std::vector<std::string_view> tenants;
  std::vector<std::string_view> of_kind;
  for (int i = 0; i < queues.size(); ++i) {
    of_kind.push_back(queues.text(i, 0));
    tenants.push_back(queues.text(i, 1));
  }
  const std::vector<std::int64_t> low(tenants.size(), ClaimCursors::kNone);
  const std::size_t oldest = transaction_.add(kOldest, tenants, of_kind, low);
  transaction_.as_relay();
  const std::size_t events = transaction_.add(kEventCount);
  transaction_.finish_with_next(true);
  const std::vector<Rows> last = transaction_.flush();

  Kinds kinds;
  add_queues(queues, kinds);
  add_ages(queues, last[oldest], kinds);
  const JobPauses paused(answers[pauses]);
  for (const std::string& kind : paused.kinds()) row_of(kinds, kind).paused = true;
  JobStoreStats stats;
  stats.kinds.reserve(kinds.size());
  for (auto& [kind, row] : kinds) stats.kinds.push_back(std::move(row));
  stats.paused = paused.all();
  stats.finished = answers[totals].integer(0, 0);
  stats.dead = answers[totals].integer(0, 1);
  stats.workers = answers[totals].integer(0, 2);
  stats.events = last[events].integer(0, 0);
  return stats;
}

void JobTransaction::pause(std::string_view kind) {
  transaction_.as_dispatcher();
  transaction_.finish_with_next();
  transaction_.query(kPause, kind);
}

void JobTransaction::resume(std::string_view kind) {
  transaction_.as_dispatcher();
  transaction_.finish_with_next();
  if (kind.empty()) {
    transaction_.query(kResumeAll);
  } else {
    transaction_.query(kResume, kind);
  }
}

int JobTransaction::prune(std::int64_t before, int limit) {
  transaction_.as_dispatcher();
  transaction_.finish_with_next();
  return static_cast<int>(transaction_.query(kPrune, before, limit).affected());
}

Result<void> JobTransaction::check() {
  transaction_.as_dispatcher();
  transaction_.finish_with_next(true);
  const Rows wrong = transaction_.query(kWrong);
  if (wrong.integer(0, 0) == 0 && wrong.integer(0, 1) == 0) return success();
  return Error(Errc::data_loss, "the store is damaged")
      .with_detail(std::to_string(wrong.integer(0, 0)) + " queues are miscounted, " +
                   std::to_string(wrong.integer(0, 1)) + " jobs wait for nobody");
}

}  // namespace aiserve::inline v0::pg
