// The part of JobTransaction that dispatchers, operators and the passing of time call for.
#include "sqlite/job_transaction.hpp"
#include "sqlite/store_options.hpp"

namespace aiserve::inline v0::detail {
namespace {

using decide::JobEvent;
using decide::JobEventKind;

// Workers that were not heard of for a day, in ms.
constexpr std::int64_t kForgotten = 86'400'000;

constexpr const char* kBacklog =
    R"sql(SELECT tenant, ready, running FROM job_count
          WHERE kind = ?1 AND (ready > 0 OR running > 0) /* across tenants: dispatcher */)sql";
constexpr const char* kOldest =
    R"sql(SELECT run_at, rank FROM job WHERE tenant = ?1 AND kind = ?2 AND state = 1
          ORDER BY rank, id LIMIT 1)sql";
constexpr const char* kWorker =
    R"sql(SELECT lease_boot, lease_until FROM job_worker
          WHERE worker = ?1 /* no tenant's data */)sql";
constexpr const char* kKeepWorker =
    R"sql(INSERT INTO job_worker (worker, lease_boot, lease_until, seen_at)
          VALUES (?1, ?2, ?3, ?4)
          ON CONFLICT (worker) DO UPDATE SET lease_until = excluded.lease_until,
            seen_at = excluded.seen_at /* no tenant's data */)sql";
constexpr const char* kRunning =
    R"sql(SELECT tenant, id, attempt, cancel_requested FROM job
          WHERE worker = ?1 AND state = 2 /* across tenants: a worker's own jobs */)sql";
constexpr const char* kNextDue =
    R"sql(SELECT run_at FROM job WHERE state IN (0, 3) AND blocked = 0
          ORDER BY run_at LIMIT 1 /* across tenants: due */)sql";
constexpr const char* kOldDone =
    R"sql(SELECT id, tenant FROM job_done WHERE finished_at < ?1
          ORDER BY finished_at LIMIT ?2 /* across tenants: retention */)sql";
constexpr const char* kPruneDone = R"sql(DELETE FROM job_done WHERE tenant = ?1 AND id = ?2)sql";
constexpr const char* kPruneInput = R"sql(DELETE FROM job_input WHERE tenant = ?1 AND id = ?2)sql";
constexpr const char* kPruneUnique =
    R"sql(DELETE FROM job_unique WHERE (tenant, kind, key) IN (
            SELECT tenant, kind, key FROM job_unique WHERE expires_at <= ?1
            ORDER BY expires_at LIMIT ?2) /* across tenants: expiry */)sql";
constexpr const char* kPruneWorkers =
    R"sql(DELETE FROM job_worker WHERE seen_at < ?1 AND worker NOT IN (
            SELECT worker FROM job WHERE state = 2) /* no tenant's data */)sql";

JobEvent lost(const JobRow& row, std::int64_t now) {
  return {.kind = JobEventKind::lease_lost, .fence = row.core.fence, .at = now};
}

}  // namespace

int JobTransaction::promote(int limit) {
  std::vector<JobRow> due = due_jobs(connection_, now_, limit);
  for (JobRow& row : due) advance(row, {.kind = JobEventKind::due});
  return static_cast<int>(due.size());
}

std::vector<Backlog> JobTransaction::backlog(std::string_view kind) {
  std::vector<Backlog> all;
  const bool stopped = paused(kind);
  counts_.write(connection_);
  Query row(connection_, kBacklog, kind);
  while (row.row()) {
    Backlog one{TenantId(row.text(0)), std::string(kind), row.integer(1), row.integer(2)};
    Query oldest(connection_, kOldest, one.tenant, kind);
    one.paused = stopped;
    if (oldest.row()) {
      one.oldest = WallTime(std::chrono::nanoseconds(oldest.integer(0)));
      one.turn = WallTime(std::chrono::nanoseconds(oldest.integer(1)));
    }
    all.push_back(std::move(one));
  }
  return all;
}

HeartbeatReply JobTransaction::heartbeat(WorkerId worker, std::chrono::milliseconds lease) {
  HeartbeatReply reply;
  {
    Query known(connection_, kWorker, worker.value());
    reply.lost = known.row() && lease_.past({known.integer(0), known.integer(1)});
  }
  // An incarnation that was given up does not come back.
  if (reply.lost) return reply;
  const std::int64_t until = later(lease_.ms, lease);
  Query(connection_, kKeepWorker, worker.value(), lease_.boot, until, now_ / 1'000'000).run();
  Query row(connection_, kRunning, worker.value());
  while (row.row()) {
    const JobRef job{TenantId(row.text(0)), JobId(row.integer(1))};
    reply.running.push_back({job, static_cast<int>(row.integer(2))});
    if (row.integer(3) != 0) reply.to_cancel.push_back(job);
  }
  return reply;
}

MaintenanceReport JobTransaction::maintain(int limit, std::int64_t oldest_kept) {
  MaintenanceReport report;
  report.promoted = promote(limit);
  for (JobRow& row : lost_jobs(connection_, lease_.boot, lease_.ms, limit)) {
    row.error = "its worker died or it took too long";
    advance(row, lost(row, now_));
    ++report.rescued;
    report.discarded += row.core.state == decide::JobState::discarded ? 1 : 0;
  }
  report.pruned = prune(oldest_kept, limit);
  forget_expired(limit);
  Query next(connection_, kNextDue);
  if (next.row()) report.next_due = WallTime(std::chrono::nanoseconds(next.integer(0)));
  return report;
}

int JobTransaction::prune(std::int64_t before, int limit) {
  std::vector<std::pair<std::int64_t, TenantId>> old;
  {
    Query query(connection_, kOldDone, before, limit);
    while (query.row()) old.emplace_back(query.integer(0), TenantId(query.text(1)));
  }
  for (const auto& [id, tenant] : old) {
    Query(connection_, kPruneDone, tenant, id).run();
    Query(connection_, kPruneInput, tenant, id).run();
  }
  return static_cast<int>(old.size());
}

void JobTransaction::forget_expired(int limit) {
  Query(connection_, kPruneUnique, now_, limit).run();
  Query(connection_, kPruneWorkers, now_ / 1'000'000 - kForgotten).run();
}

Result<JobInfo> JobTransaction::control(const TenantId& tenant, JobId id, JobAction action) {
  if (std::optional<JobRow> row = find_open(connection_, tenant, id)) {
    if (action == JobAction::cancel && advance(*row, {.kind = JobEventKind::cancel_requested})) {
      return to_info(std::move(*row));
    }
    return Error(Errc::conflict, "the job is not finished");
  }
  std::optional<JobRow> row = find_done(connection_, tenant, id);
  if (!row) return Error(Errc::not_found, "no such job");
  if (action == JobAction::cancel) return Error(Errc::conflict, "the job is finished");
  return redrive(std::move(*row));
}

Result<JobInfo> JobTransaction::redrive(JobRow row) {
  if (!redrive_row(row, now_)) {
    return Error(Errc::conflict, "only cancelled and discarded jobs can be redriven");
  }
  delete_done(connection_, row);
  if (row.order_key) rejoin_line(row);
  insert_open(connection_, row);
  count(row, row.core.state, 1);
  return to_info(std::move(row));
}

}  // namespace aiserve::inline v0::detail
