// The part of JobTransaction that operators and the passing of time call for.
#include "postgres/job_transaction.hpp"
#include "postgres/store_options.hpp"

namespace aiserve::inline v0::pg {
namespace {

using decide::JobEventKind;

constexpr const char* kNextDue =
    R"sql(SELECT run_at FROM aiserve.job WHERE state IN (0, 3) AND blocked = 0
          ORDER BY run_at LIMIT 1)sql";
constexpr const char* kPruneDone =
    R"sql(DELETE FROM aiserve.job_done WHERE (tenant, id, finished_at) IN (
            SELECT tenant, id, finished_at FROM aiserve.job_done
            WHERE finished_at < aiserve.now_ns() - $1
            ORDER BY finished_at LIMIT $2))sql";
// Asked again of each row: meanwhile another job may have got the key.
constexpr const char* kPruneUnique =
    R"sql(DELETE FROM aiserve.job_unique WHERE expires_at <= aiserve.now_ns()
            AND (tenant, kind, key) IN (
              SELECT tenant, kind, key FROM aiserve.job_unique
              WHERE expires_at <= aiserve.now_ns() ORDER BY expires_at LIMIT $1))sql";
// Workers that were not heard of for a day.
constexpr const char* kPruneWorkers =
    R"sql(DELETE FROM aiserve.job_worker AS gone WHERE seen_at < aiserve.now_ns() - 86400000000000
            AND NOT EXISTS (SELECT FROM aiserve.job WHERE worker = gone.worker AND state = 2))sql";
// Slots that add up to nothing and were left alone for a minute. Whatever was locked of a queue
// adds up to nothing, so that the sum of all stays what it is.
constexpr const char* kPruneCounts =
    R"sql(WITH idle AS MATERIALIZED (
            SELECT kind, tenant, slot, waiting, ready, running FROM aiserve.job_count
            WHERE changed_at < aiserve.now_ns() - 60000000000 LIMIT $1 FOR UPDATE SKIP LOCKED),
          nothing AS MATERIALIZED (
            SELECT kind, tenant FROM idle GROUP BY kind, tenant
            HAVING sum(waiting) = 0 AND sum(ready) = 0 AND sum(running) = 0)
          DELETE FROM aiserve.job_count AS kept USING idle, nothing
          WHERE idle.kind = nothing.kind AND idle.tenant = nothing.tenant
            AND kept.kind = idle.kind AND kept.tenant = idle.tenant AND kept.slot = idle.slot)sql";

}  // namespace

MaintenanceReport JobTransaction::maintain(int limit, std::chrono::milliseconds retention) {
  transaction_.as_dispatcher();
  const std::size_t due = transaction_.add(kDue, limit);
  const std::size_t lost = transaction_.add(kLost, limit);
  const std::int64_t kept = later(0, retention);
  const std::size_t pruned = transaction_.add(kPruneDone, kept, limit);
  transaction_.add(kPruneUnique, limit);
  transaction_.add(kPruneWorkers);
  transaction_.add(kPruneCounts, limit);
  const std::vector<Rows> answers = transaction_.flush();
  MaintenanceReport report;
  report.promoted = answers[due].size();
  report.rescued = answers[lost].size();
  report.pruned = static_cast<int>(answers[pruned].affected());
  promote(answers[due]);
  for (JobRow& row : read_jobs(answers[lost])) {
    row.error = "its worker died or it took too long";
    const std::int64_t now = transaction_.now();
    advance(row, {.kind = JobEventKind::lease_lost, .fence = row.core.fence, .at = now});
    report.discarded += row.core.state == decide::JobState::discarded ? 1 : 0;
    keep(std::move(row));
  }
  KeyLookup known;
  look_up(known);
  write_ends();
  transaction_.as_dispatcher();
  add_update(transaction_, updates_);
  const std::size_t next = transaction_.add(kNextDue);
  counts_.write(transaction_);
  transaction_.finish_with_next();
  const std::vector<Rows> last = transaction_.flush();
  if (!last[next].empty()) {
    report.next_due = WallTime(std::chrono::nanoseconds(last[next].integer(0, 0)));
  }
  return report;
}

Result<JobInfo> JobTransaction::control(const TenantId& tenant, JobId id, JobAction action) {
  transaction_.as_tenant(tenant);
  const std::size_t open = transaction_.add(kLockOpen, tenant, id.value());
  const std::size_t done = transaction_.add(kFindDone, tenant, id.value());
  const std::vector<Rows> answers = transaction_.flush();
  if (!answers[open].empty()) {
    if (action == JobAction::cancel) return cancel(read_job(answers[open], 0));
    return Error(Errc::conflict, "the job is not finished");
  }
  if (answers[done].empty()) return Error(Errc::not_found, "no such job");
  if (action == JobAction::cancel) return Error(Errc::conflict, "the job is finished");
  return redrive(read_job(answers[done], 0));
}

Result<JobInfo> JobTransaction::cancel(JobRow row) {
  if (!advance(row, {.kind = JobEventKind::cancel_requested})) {
    return Error(Errc::conflict, "the job is not finished");
  }
  JobInfo info = to_info(row);
  keep(std::move(row));
  KeyLookup known;
  look_up(known);
  commit();
  return info;
}

Result<JobInfo> JobTransaction::redrive(JobRow row) {
  if (!redrive_row(row, transaction_.now())) {
    return Error(Errc::conflict, "only cancelled and discarded jobs can be redriven");
  }
  KeyLookup known;
  if (row.order_key) known.want_order(row);
  look_up(known);
  if (row.order_key && known.first_of(KeyLookup::order_key(row)) != nullptr) {
    row.blocked = true;
    row.core.state = decide::JobState::scheduled;
  }
  transaction_.as_tenant(row.tenant);
  const std::size_t reopened = add_reopen(transaction_, row);
  if (transaction_.flush()[reopened].affected() == 0) {
    return Error(Errc::conflict, "somebody else redrove the job");
  }
  counts_.enter(row);
  commit();
  return to_info(std::move(row));
}

}  // namespace aiserve::inline v0::pg
