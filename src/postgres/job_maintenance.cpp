// The part of JobTransaction that operators and the passing of time call for.
#include <tuple>

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

constexpr const char* kSavepoint = R"sql(SAVEPOINT before_the_key)sql";
constexpr const char* kRollBackTo = R"sql(ROLLBACK TO SAVEPOINT before_the_key)sql";

// Where it is long, whole tables go at once (keep_days); what they leave goes row by row.
std::chrono::milliseconds row_retention(std::chrono::milliseconds retention) {
  constexpr std::chrono::hours kDay(24);
  if (retention < 2 * kDay) return retention;
  const std::chrono::milliseconds table = days_per_table(retention) * kDay;
  return retention + std::min(table, std::chrono::milliseconds::max() - retention);
}

Error finished() { return {Errc::conflict, "the job is finished"}; }
Error not_finished() { return {Errc::conflict, "the job is not finished"}; }

}  // namespace

MaintenanceReport JobTransaction::maintain(int limit, std::chrono::milliseconds retention) {
  transaction_.as_dispatcher();
  const std::size_t due = transaction_.add(kDue, limit);
  const std::size_t lost = transaction_.add(kLost, limit);
  const std::int64_t kept = later(0, row_retention(retention));
  const std::size_t pruned = transaction_.add(kPruneDone, kept, limit);
  transaction_.add(kPruneUnique, limit);
  transaction_.add(kPruneWorkers);
  transaction_.add(kPruneCounts, limit);
  const std::vector<Rows> answers = transaction_.flush();
  MaintenanceReport report;
  report.promoted = answers[due].size();
  report.pruned = static_cast<int>(answers[pruned].affected());
  promote(answers[due]);
  JobRows rescued = read_jobs(answers[lost]);
  for (JobRow& row : rescued) row.error = "its worker died or it took too long";
  std::tie(report.rescued, report.discarded) =
      advance_free(std::move(rescued), [this](const JobRow& row) -> decide::JobEvent {
        return {
            .kind = JobEventKind::lease_lost, .fence = row.core.fence, .at = transaction_.now()};
      });
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
  // A host may hold a key for as long as it likes.
  KeyLookup::wait_briefly(transaction_);
  transaction_.as_tenant(tenant);
  // Looked for when the lock was waited for: meanwhile it may have ended.
  const std::size_t locked = transaction_.add(kLockUnblocked, tenant, id.value());
  const std::size_t open = transaction_.add(kFindOpen, tenant, id.value());
  const std::size_t done = transaction_.add(kFindDone, tenant, id.value());
  const std::vector<Rows> answers = transaction_.flush();
  if (!answers[open].empty()) {
    if (action != JobAction::cancel) return not_finished();
    if (answers[locked].empty()) return cancel_next_in_line(read_job(answers[open], 0));
    return cancel(read_job(answers[locked], 0));
  }
  if (answers[done].empty()) return Error(Errc::not_found, "no such job");
  if (action == JobAction::cancel) return finished();
  return redrive(read_job(answers[done], 0));
}

// A job behind another one is also changed by whoever ends that one, and has the key: so the key
// comes first. If it is behind nobody any more, the key is given back, and the row comes first.
Result<JobInfo> JobTransaction::cancel_next_in_line(const JobRow& found) {
  if (found.blocked != 0 && found.order_key) {
    transaction_.add(kSavepoint);
    transaction_.add(kLock, KeyLookup::lock_of_order(KeyLookup::order_key(found)));
    const Rows locked = transaction_.query(kLockBlocked, found.tenant, found.id);
    if (!locked.empty()) return cancel(read_job(locked, 0));
    transaction_.add(kRollBackTo);
  }
  const Rows locked = transaction_.query(kLockOpen, found.tenant, found.id);
  if (locked.empty()) return finished();
  return cancel(read_job(locked, 0));
}

Result<JobInfo> JobTransaction::cancel(JobRow row) {
  if (!advance(row, {.kind = JobEventKind::cancel_requested})) return not_finished();
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
  if (row.order_key) {
    decide::OrderLine line = known.line_of(KeyLookup::order_key(row));
    block(row, decide::rejoin(line));
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
