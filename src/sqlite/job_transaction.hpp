// JobTransaction: what happens to jobs inside one transaction. decide::step() says what follows;
// here it is written down, together with the counts, unique keys and order keys that hang on it.
#pragma once

#include "aiserve/jobs/job_operator.hpp"
#include "aiserve/jobs/job_reader.hpp"
#include "sqlite/job_counts.hpp"
#include "sqlite/job_row.hpp"
#include "sqlite/lease_clock.hpp"

namespace aiserve::inline v0::detail {

class JobTransaction {
 public:
  /// Whoever commits writes the counts before.
  JobTransaction(Connection& connection, JobCounts& counts, std::int64_t now,
                 const LeaseTime& lease) noexcept
      : connection_(connection), counts_(counts), now_(now), lease_(lease) {}

  /// Errors: overloaded (max_waiting). Nothing was changed then.
  Result<void> admit(std::span<const NewJob> jobs);
  Enqueued enqueue(const NewJob& job);
  /// Promotes jobs whose time has come.
  int promote(int limit);
  std::vector<Backlog> backlog(std::string_view kind);
  /// Errors: conflict, the worker has no lease.
  Result<void> check_lease(WorkerId worker);
  void claim(WorkerId worker, const ClaimQuota& quota, std::vector<ClaimedJob>& claimed);
  Settled settle(const Settlement& settlement);
  HeartbeatReply heartbeat(WorkerId worker, std::chrono::milliseconds lease);
  MaintenanceReport maintain(int limit, std::int64_t oldest_kept);
  /// Errors: not_found, conflict.
  Result<JobInfo> control(const TenantId& tenant, JobId id, JobAction action);

  // For operators:
  JobStoreStats stats();
  void pause(std::string_view kind);
  void resume(std::string_view kind);
  int prune(std::int64_t before, int limit);

  /// It made jobs available.
  bool made_ready() const noexcept { return made_ready_; }

 private:
  /// Applies an event to an open job. False: refused, nothing changed.
  bool advance(JobRow& row, const decide::JobEvent& event, const Bytes& result = {});
  void close(JobRow& row, const Bytes& result);
  // Turns under order keys:
  void join_line(JobRow& row, int order_concurrency);
  void rejoin_line(JobRow& row);
  void give_turns(const JobRow& finished);
  std::optional<JobRow> first_in_line(const JobRow& row);
  std::optional<JobId> unique_hit(const NewJob& job);
  void keep_unique(const NewJob& job, const JobRow& row);
  void count(const JobRow& row, decide::JobState state, std::int64_t by);
  void claim_one(WorkerId worker, JobRow& row, Bytes input, std::vector<ClaimedJob>& claimed);
  Result<JobInfo> redrive(JobRow row);
  bool paused(std::string_view kind);
  void forget_expired(int limit);

  Connection& connection_;
  JobCounts& counts_;
  const std::int64_t now_;
  const LeaseTime lease_;
  bool made_ready_ = false;
};

}  // namespace aiserve::inline v0::detail
