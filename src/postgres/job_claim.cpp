// The part of JobTransaction that dispatchers call: what waits, claims, leases.
#include <algorithm>

#include "postgres/job_pauses.hpp"
#include "postgres/job_transaction.hpp"

namespace aiserve::inline v0::pg {
namespace {

constexpr int kPromotedAtOnce = 1000;

constexpr const char* kLease =
    R"sql(SELECT FROM aiserve.job_worker WHERE worker = $1 AND lease_until > aiserve.now_ns())sql";
constexpr const char* kCounts =
    R"sql(SELECT kind, tenant, sum(ready)::bigint, sum(running)::bigint FROM aiserve.job_count
          WHERE kind = ANY ($1) GROUP BY kind, tenant
          HAVING sum(ready) > 0 OR sum(running) > 0)sql";
// A lease that has ended is not renewed: an incarnation that was given up does not come back.
constexpr const char* kRenew =
    R"sql(INSERT INTO aiserve.job_worker AS known (worker, lease_until, seen_at)
          VALUES ($1, aiserve.now_ns() + $2, aiserve.now_ns())
          ON CONFLICT (worker) DO UPDATE SET lease_until = excluded.lease_until,
            seen_at = excluded.seen_at WHERE known.lease_until > aiserve.now_ns()
          RETURNING worker)sql";
constexpr const char* kRunning =
    R"sql(SELECT tenant, id, attempt, cancel_requested FROM aiserve.job
          WHERE worker = $1 AND state = 2)sql";

WallTime wall(std::int64_t ns) { return WallTime(std::chrono::nanoseconds(ns)); }

std::int64_t number(WorkerId worker) noexcept { return static_cast<std::int64_t>(worker.value()); }

}  // namespace

void JobTransaction::promote(const Rows& due) {
  for (JobRow& row : read_jobs(due)) {
    if (advance(row, {.kind = decide::JobEventKind::due})) keep(std::move(row));
  }
}

std::vector<Backlog> JobTransaction::backlog(std::span<const std::string> kinds,
                                             ClaimCursors& cursors) {
  const std::vector<std::string_view> names(kinds.begin(), kinds.end());
  transaction_.relax();
  transaction_.as_dispatcher();
  const std::size_t due = transaction_.add(kDue, kPromotedAtOnce);
  const std::size_t pauses = transaction_.add(kPauses);
  std::size_t counts = transaction_.add(kCounts, names);
  std::vector<Rows> answers = transaction_.flush();
  const JobPauses paused(answers[pauses]);
  if (!answers[due].empty()) {
    promote(answers[due]);
    add_update(transaction_, updates_);
    counts_.write(transaction_);
    counts = transaction_.add(kCounts, names);
    answers = transaction_.flush();
  }
  std::vector<Backlog> all;
  const Rows& rows = answers[counts];
  all.reserve(static_cast<std::size_t>(rows.size()));
  std::vector<std::string_view> tenants;
  std::vector<std::string_view> of_kind;
  std::vector<std::int64_t> low;
  const auto now = ClaimCursors::TimePoint::clock::now();
  // What was counted as ready may be claimed by others before it is looked at.
  const WallTime at_latest = wall(transaction_.now());
  for (int i = 0; i < rows.size(); ++i) {
    const Backlog& one = all.emplace_back(Backlog{.tenant = TenantId(rows.text(i, 1)),
                                                  .kind = rows.string(i, 0),
                                                  .ready = rows.integer(i, 2),
                                                  .running = rows.integer(i, 3),
                                                  .oldest = at_latest,
                                                  .turn = at_latest,
                                                  .paused = paused.hold(rows.text(i, 0))});
    tenants.push_back(rows.text(i, 1));
    of_kind.push_back(rows.text(i, 0));
    low.push_back(cursors.bound(one.tenant, one.kind, now));
  }
  transaction_.finish_with_next(updates_.empty());
  const Rows oldest = transaction_.query(kOldest, tenants, of_kind, low);
  for (int i = 0; i < oldest.size(); ++i) {
    Backlog& one = all[static_cast<std::size_t>(oldest.integer(i, 0)) - 1];
    one.oldest = wall(oldest.integer(i, 1));
    one.turn = wall(oldest.integer(i, 2));
  }
  return all;
}

Rows JobTransaction::pick(WorkerId worker, std::span<const ClaimQuota> quotas,
                          const std::vector<std::int64_t>& low) {
  std::vector<std::string_view> tenants;
  std::vector<std::string_view> kinds;
  std::vector<std::int64_t> most;
  for (const ClaimQuota& quota : quotas) {
    tenants.push_back(quota.tenant.view());
    kinds.emplace_back(quota.kind);
    most.push_back(quota.n);
  }
  return transaction_.query(kClaim, tenants, kinds, most, low, number(worker));
}

Result<std::vector<ClaimedJob>> JobTransaction::claim(WorkerId worker,
                                                      std::span<const ClaimQuota> quotas,
                                                      ClaimCursors& cursors) {
  const auto now = ClaimCursors::TimePoint::clock::now();
  std::vector<std::int64_t> low;
  low.reserve(quotas.size());
  for (const ClaimQuota& quota : quotas) {
    low.push_back(cursors.begin(quota.tenant, quota.kind, now));
  }
  transaction_.relax();
  transaction_.as_dispatcher();
  if (transaction_.query(kLease, number(worker)).empty()) {
    return Error(Errc::conflict, "the worker has no lease");
  }
  Rows picked = pick(worker, quotas, low);
  const std::vector<std::int64_t> none(quotas.size(), ClaimCursors::kNone);
  if (picked.empty() && low != none) picked = pick(worker, quotas, none);
  std::vector<JobRow> jobs = take(picked, quotas);
  KeyLookup known;
  look_up(known);
  return hand_out(std::move(jobs));
}

// In the order of the quotas, and of each in the order of ranks.
std::vector<JobRow> JobTransaction::take(const Rows& picked, std::span<const ClaimQuota> quotas) {
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> turn;
  for (std::size_t i = 0; i < quotas.size(); ++i) {
    turn.try_emplace({quotas[i].tenant.view(), quotas[i].kind}, i);
  }
  std::map<std::size_t, std::int64_t> highest;
  std::vector<std::tuple<std::size_t, std::int64_t, std::int64_t, JobRow>> order;
  order.reserve(static_cast<std::size_t>(picked.size()));
  JobRows expired;
  for (JobRow& row : read_jobs(picked)) {
    const std::size_t at = turn.at({row.tenant.view(), row.kind});
    const auto [entry, first] = highest.try_emplace(at, row.rank);
    entry->second = std::max(entry->second, row.rank);
    if (row.core.state == decide::JobState::available) {
      expired.push_back(std::move(row));
      continue;
    }
    counts_.claim(row);
    order.emplace_back(at, row.rank, row.id, std::move(row));
  }
  advance_free(std::move(expired), [](const JobRow&) -> decide::JobEvent {
    return {.kind = decide::JobEventKind::expire};
  });
  claimed_up_to_.reserve(highest.size());
  for (const auto& [at, rank] : highest) {
    claimed_up_to_.push_back({quotas[at].tenant, quotas[at].kind, rank});
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a), std::get<2>(a)) <
           std::tie(std::get<0>(b), std::get<1>(b), std::get<2>(b));
  });
  std::vector<JobRow> jobs;
  jobs.reserve(order.size());
  for (auto& entry : order) jobs.push_back(std::move(std::get<3>(entry)));
  return jobs;
}

// Inputs are their tenant's, and read as such.
std::vector<ClaimedJob> JobTransaction::hand_out(std::vector<JobRow> jobs) {
  std::map<TenantId, std::vector<std::int64_t>> ids;
  for (const JobRow& row : jobs) ids[row.tenant].push_back(row.id);
  std::vector<std::size_t> statements;
  for (const auto& [tenant, some] : ids) {
    transaction_.as_tenant(tenant);
    statements.push_back(transaction_.add(kInputs, tenant, some));
  }
  const std::vector<Rows> answers = commit();
  std::map<std::int64_t, Bytes> inputs;
  for (const std::size_t at : statements) {
    const Rows& rows = answers[at];
    for (int i = 0; i < rows.size(); ++i) inputs.emplace(rows.integer(i, 0), rows.bytes(i, 1));
  }
  std::vector<ClaimedJob> claimed;
  claimed.reserve(jobs.size());
  for (JobRow& row : jobs) claimed.push_back(claimed_job(row, std::move(inputs[row.id])));
  return claimed;
}

HeartbeatReply JobTransaction::heartbeat(WorkerId worker, std::chrono::milliseconds lease) {
  transaction_.as_dispatcher();
  const std::int64_t ns = std::chrono::nanoseconds(lease).count();
  const std::size_t renewed = transaction_.add(kRenew, number(worker), ns);
  const std::size_t running = transaction_.add(kRunning, number(worker));
  transaction_.finish_with_next();
  const std::vector<Rows> answers = transaction_.flush();
  HeartbeatReply reply;
  reply.lost = answers[renewed].empty();
  if (reply.lost) return reply;
  const Rows& rows = answers[running];
  reply.running.reserve(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) {
    const JobRef job{TenantId(rows.text(i, 0)), JobId(rows.integer(i, 1))};
    reply.running.push_back({job, static_cast<int>(rows.integer(i, 2))});
    if (rows.integer(i, 3) != 0) reply.to_cancel.push_back(job);
  }
  return reply;
}

}  // namespace aiserve::inline v0::pg
