// Enqueueing, claiming and settling; what is done now and then is in job_maintenance.cpp.
#include "sqlite/job_transaction.hpp"

#include <map>
#include <utility>

#include "sqlite/store_options.hpp"

namespace aiserve::inline v0::detail {
namespace {

using decide::JobEvent;
using decide::JobEventKind;
using Core = decide::JobState;

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
constexpr const char* kEvent =
    R"sql(INSERT INTO job_event (tenant, topic, payload) VALUES (?1, ?2, ?3))sql";
constexpr const char* kLease =
    R"sql(SELECT 1 FROM job_worker
          WHERE worker = ?1 AND lease_boot = ?2 AND lease_until > ?3 /* no tenant's data */)sql";

}  // namespace

Result<void> JobTransaction::admit(std::span<const NewJob> jobs) {
  std::map<std::pair<std::string_view, std::string_view>, std::int64_t> waiting;
  for (const NewJob& job : jobs) {
    if (job.max_waiting == 0 || unique_hit(job)) continue;
    const auto [entry, first] = waiting.try_emplace({job.kind, job.tenant.view()}, 0);
    if (first) entry->second = counts_.waiting(connection_, job.kind, job.tenant);
    if (++entry->second > job.max_waiting) {
      return Error(Errc::overloaded, "too many jobs of this kind wait")
          .retry_after(std::chrono::seconds(1));
    }
  }
  return success();
}

Enqueued JobTransaction::enqueue(const NewJob& job) {
  if (auto hit = unique_hit(job)) return {*hit, true};
  JobRow row = new_job_row(job, now_);
  if (row.order_key) join_line(row, job.order_concurrency);
  insert_open(connection_, row);
  Query(connection_, kInput, row.tenant, row.id, job.input).run();
  keep_unique(job, row);
  count(row, row.core.state, 1);
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
  const std::int64_t until = unique_until(*job.unique, now_);
  Query(connection_, kKeepUnique, row.tenant, row.kind, *row.unique_key, row.id, until).run();
}

void JobTransaction::count(const JobRow& row, Core state, std::int64_t by) {
  counts_.add(row.kind, row.tenant, state, by);
  made_ready_ = made_ready_ || (by > 0 && state == Core::available);
}

bool JobTransaction::advance(JobRow& row, const JobEvent& event, const Bytes& result) {
  const Core before = row.core.state;
  if (!advance_row(row, event, now_)) return false;
  count(row, before, -1);
  if (row.final()) {
    close(row, result);
  } else {
    update_open(connection_, row);
    count(row, row.core.state, 1);
  }
  return true;
}

void JobTransaction::close(JobRow& row, const Bytes& result) {
  if (row.core.state == Core::completed) row.result = result;
  delete_open(connection_, row);
  insert_done(connection_, row);
  if (row.unique_key && row.unique_scope == JobUniqueScope::unfinished) {
    Query(connection_, kDropUnique, row.tenant, row.kind, *row.unique_key, row.id).run();
  }
  // What was blocked held up nobody: others still have their turn.
  if (row.order_key && row.was_blocked == 0) give_turns(row);
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
  claimed.push_back(claimed_job(row, std::move(input)));
}

Settled JobTransaction::settle(const Settlement& settlement) {
  std::optional<JobRow> row = find_open(connection_, settlement.tenant, settlement.id);
  if (!row) return Settled::stale;
  const JobEvent event = settle_event(*row, settlement, now_);
  if (!advance(*row, event, settlement.result)) return Settled::stale;
  for (const NewJob& next : settlement.next) enqueue(next);
  for (const aiserve::JobEvent& told : settlement.events) {
    Query(connection_, kEvent, settlement.tenant, told.topic, told.payload).run();
  }
  return Settled::applied;
}

}  // namespace aiserve::inline v0::detail
