// Enqueueing, claiming and settling; what is done now and then is in job_maintenance.cpp.
#include "sqlite/job_transaction.hpp"

#include <utility>

#include "decide/nanos.hpp"
#include "jobs/job_rules.hpp"
#include "sqlite/store_options.hpp"

namespace aiserve::inline v0::detail {
namespace {

using decide::JobEvent;
using decide::JobEventKind;
using Core = decide::JobState;

constexpr std::size_t kLongestError = 4096;

constexpr const char* kInput =
    R"sql(INSERT INTO job_input (tenant, id, input) VALUES (?1, ?2, ?3))sql";
constexpr const char* kUnique =
    R"sql(SELECT job FROM job_unique
          WHERE tenant = ?1 AND kind = ?2 AND key = ?3 AND expires_at > ?4)sql";
constexpr const char* kKeepUnique =
    R"sql(INSERT OR REPLACE INTO job_unique (tenant, kind, key, job, expires_at)
          VALUES (?1, ?2, ?3, ?4, ?5))sql";
constexpr const char* kDropUnique =
    R"sql(DELETE FROM job_unique
          WHERE tenant = ?1 AND kind = ?2 AND key = ?3 AND job = ?4)sql";
constexpr const char* kOrder =
    R"sql(SELECT id FROM job WHERE tenant = ?1 AND kind = ?2 AND order_key = ?3
          ORDER BY id LIMIT 1)sql";
constexpr const char* kCount =
    R"sql(INSERT INTO job_count (kind, tenant, waiting, ready, running)
          VALUES (?2, ?1, ?3, ?4, ?5)
          ON CONFLICT (kind, tenant) DO UPDATE SET waiting = waiting + excluded.waiting,
            ready = ready + excluded.ready, running = running + excluded.running
          RETURNING waiting = 0 AND ready = 0 AND running = 0)sql";
constexpr const char* kForgetCount =
    R"sql(DELETE FROM job_count WHERE tenant = ?1 AND kind = ?2)sql";
constexpr const char* kWaiting =
    R"sql(SELECT waiting + ready FROM job_count WHERE tenant = ?1 AND kind = ?2)sql";
constexpr const char* kEvent =
    R"sql(INSERT INTO job_event (tenant, topic, payload) VALUES (?1, ?2, ?3))sql";
constexpr const char* kLease =
    R"sql(SELECT 1 FROM job_worker
          WHERE worker = ?1 AND lease_boot = ?2 AND lease_until > ?3 /* no tenant's data */)sql";

std::int64_t ns(WallTime at) noexcept { return at.time_since_epoch().count(); }

JobRow new_row(const NewJob& job, std::int64_t now) {
  JobRow row;
  row.tenant = job.tenant;
  row.kind = job.kind;
  row.core = decide::enqueued(std::max(ns(job.run_at), now), now);
  row.priority = job.priority;
  row.rank = rank_of(row.core.run_at, job.priority);
  row.rules = {.max_attempts = static_cast<std::uint32_t>(job.max_attempts),
               .max_crashes = static_cast<std::uint32_t>(job.max_crashes)};
  row.timeout_ms = job.timeout.count();
  row.created_at = now;
  if (job.start_before) row.start_before = ns(*job.start_before);
  if (job.unique) row.unique_key = job.unique->key();
  if (job.unique) row.unique_scope = job.unique->scope();
  if (!job.order_key.empty()) row.order_key = job.order_key;
  row.trace = job.trace;
  return row;
}

}  // namespace

Result<void> JobTransaction::admit(std::span<const NewJob> jobs) {
  std::map<std::pair<std::string_view, std::string_view>, std::int64_t> waiting;
  for (const NewJob& job : jobs) {
    if (job.max_waiting == 0 || unique_hit(job)) continue;
    const auto [entry, first] = waiting.try_emplace({job.kind, job.tenant.view()}, 0);
    if (first) {
      Query query(connection_, kWaiting, job.tenant, job.kind);
      if (query.row()) entry->second = query.integer(0);
    }
    if (++entry->second > job.max_waiting) {
      return Error(Errc::overloaded, "too many jobs of this kind wait")
          .retry_after(std::chrono::seconds(1));
    }
  }
  return success();
}

Enqueued JobTransaction::enqueue(const NewJob& job) {
  if (auto hit = unique_hit(job)) return {*hit, true};
  JobRow row = new_row(job, now_);
  if (order_key_taken(row)) {
    row.blocked = true;
    row.core.state = Core::scheduled;
  }
  insert_open(connection_, row);
  Query(connection_, kInput, row.tenant, row.id, job.input).run();
  keep_unique(job, row);
  count(row, 1);
  return {JobId(row.id), false};
}

std::optional<JobId> JobTransaction::unique_hit(const NewJob& job) {
  if (!job.unique) return std::nullopt;
  Query query(connection_, kUnique, job.tenant, job.kind, job.unique->key(), now_);
  if (!query.row()) return std::nullopt;
  return JobId(query.integer(0));
}

void JobTransaction::keep_unique(const NewJob& job, const JobRow& row) {
  if (!job.unique) return;
  const bool retained = job.unique->scope() == JobUniqueScope::retained;
  const auto period = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::min<std::chrono::milliseconds>(job.unique->period(), std::chrono::hours(24 * 36'500)));
  const std::int64_t expires = retained ? decide::saturating_add(now_, period.count())
                                        : std::numeric_limits<std::int64_t>::max();
  Query(connection_, kKeepUnique, row.tenant, row.kind, *row.unique_key, row.id, expires).run();
}

bool JobTransaction::order_key_taken(const JobRow& row) {
  return row.order_key && Query(connection_, kOrder, row.tenant, row.kind, *row.order_key).row();
}

void JobTransaction::count(const JobRow& row, std::int64_t by) {
  Counts& counts = counts_[{row.kind, row.tenant}];
  switch (row.core.state) {
    case Core::scheduled:
    case Core::retryable:
      counts.waiting += by;
      return;
    case Core::available:
      counts.ready += by;
      made_ready_ = made_ready_ || by > 0;
      return;
    case Core::running:
      counts.running += by;
      return;
    default:
      return;
  }
}

void JobTransaction::finish() {
  for (const auto& [key, counts] : counts_) {
    const bool changed = counts.waiting != 0 || counts.ready != 0 || counts.running != 0;
    if (!changed) continue;
    bool empty = false;
    {
      Query kept(connection_, kCount, key.second, key.first, counts.waiting, counts.ready,
                 counts.running);
      // To its end: it takes effect there.
      while (kept.row()) empty = kept.integer(0) != 0;
    }
    if (empty) Query(connection_, kForgetCount, key.second, key.first).run();
  }
  counts_.clear();
}

bool JobTransaction::advance(JobRow& row, const JobEvent& event, const Bytes& result) {
  const decide::JobStep next = decide::step(row.core, event, row.rules, now_);
  if (next.refusal != decide::Refusal::none) return false;
  count(row, -1);
  const bool waits_anew = next.job.run_at != row.core.run_at;
  row.core = next.job;
  // What was given back keeps its place.
  if (waits_anew && event.kind != JobEventKind::give_back) {
    row.rank = rank_of(row.core.run_at, row.priority);
  }
  if (row.final()) {
    close(row, result);
  } else {
    update_open(connection_, row);
    count(row, 1);
  }
  return true;
}

void JobTransaction::close(JobRow& row, const Bytes& result) {
  row.finished_at = now_;
  const bool was_blocked = std::exchange(row.blocked, false);
  if (row.core.state == Core::completed) row.result = result;
  if (row.error.empty() && row.core.discard_reason != decide::DiscardReason::none) {
    row.error = to_string(row.core.discard_reason);
  }
  delete_open(connection_, row);
  insert_done(connection_, row);
  if (row.unique_key && row.unique_scope == JobUniqueScope::unfinished) {
    Query(connection_, kDropUnique, row.tenant, row.kind, *row.unique_key, row.id).run();
  }
  // What was blocked held up nobody: another one still has the key.
  if (row.order_key && !was_blocked) unblock_next(row);
}

void JobTransaction::unblock_next(const JobRow& finished) {
  std::optional<JobId> id;
  {
    Query query(connection_, kOrder, finished.tenant, finished.kind, *finished.order_key);
    if (query.row()) id = JobId(query.integer(0));
  }
  std::optional<JobRow> next = id ? find_open(connection_, finished.tenant, *id) : std::nullopt;
  if (!next || !next->blocked) return;
  next->blocked = false;
  // Refused if its time has not come: then it is found when it has.
  if (!advance(*next, {.kind = JobEventKind::due})) update_open(connection_, *next);
}

Result<void> JobTransaction::check_lease(WorkerId worker) {
  if (Query(connection_, kLease, worker.value(), lease_.boot, lease_.ms).row()) return success();
  return Error(Errc::conflict, "the worker has no lease");
}

void JobTransaction::claim(WorkerId worker, const ClaimQuota& quota,
                           std::vector<ClaimedJob>& claimed) {
  if (paused(quota.kind)) return;
  std::vector<std::pair<JobRow, Bytes>> ready = next_ready(connection_, quota);
  claimed.reserve(claimed.size() + ready.size());
  for (auto& [row, input] : ready) claim_one(worker, row, std::move(input), claimed);
}

void JobTransaction::claim_one(WorkerId worker, JobRow& row, Bytes input,
                               std::vector<ClaimedJob>& claimed) {
  if (row.start_before && *row.start_before <= now_) {
    advance(row, {.kind = JobEventKind::expire});
    return;
  }
  row.run_until = later(lease_.ms, std::chrono::milliseconds(row.timeout_ms));
  row.started_at = now_;
  if (!advance(row, {.kind = JobEventKind::claim, .fence = {.worker = worker.value()}})) return;
  ClaimedJob job;
  job.id = JobId(row.id);
  job.tenant = std::move(row.tenant);
  job.kind = std::move(row.kind);
  job.input = std::move(input);
  job.attempt = static_cast<int>(row.core.fence.attempt);
  job.max_attempts = static_cast<int>(row.rules.max_attempts);
  job.used_attempts = static_cast<int>(row.core.used_attempts());
  job.timeout = std::chrono::milliseconds(row.timeout_ms);
  job.created_at = WallTime(std::chrono::nanoseconds(row.created_at));
  job.ready_at = WallTime(std::chrono::nanoseconds(row.core.run_at));
  job.unique_key = row.unique_key.value_or("");
  job.trace = std::move(row.trace);
  claimed.push_back(std::move(job));
}

Settled JobTransaction::settle(const Settlement& settlement) {
  std::optional<JobRow> row = find_open(connection_, settlement.tenant, settlement.id);
  if (!row) return Settled::stale;
  const JobEvent event{.kind = event_of(settlement.outcome),
                       .fence = {.attempt = static_cast<std::uint32_t>(settlement.attempt),
                                 .worker = settlement.worker.value()},
                       .at = std::max(ns(settlement.at), now_)};
  if (!settlement.error.empty()) row->error = settlement.error.substr(0, kLongestError);
  if (!advance(*row, event, settlement.result)) return Settled::stale;
  for (const NewJob& next : settlement.next) enqueue(next);
  for (const aiserve::JobEvent& told : settlement.events) {
    Query(connection_, kEvent, settlement.tenant, told.topic, told.payload).run();
  }
  return Settled::applied;
}

}  // namespace aiserve::inline v0::detail
