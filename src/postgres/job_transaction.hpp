// JobTransaction: what happens to jobs inside one transaction, and its COMMIT. decide::step() says
// what follows; here it is written down, together with the counts, unique keys and order keys that
// hang on it. An object serves one call.
//
// Who waits for whom: rows of jobs first, then keys (advisory locks, sorted), then rows of jobs
// that wait for these keys, which nobody else may change, then counts. Two transactions that meet
// in a circle all the same are told apart by the server, and one runs again.
#pragma once

#include <functional>
#include <utility>

#include "aiserve/jobs/job_operator.hpp"
#include "aiserve/jobs/job_reader.hpp"
#include "postgres/claim_cursors.hpp"
#include "postgres/new_jobs.hpp"

namespace aiserve::inline v0::pg {

class JobTransaction {
 public:
  using EnqueueResult = Result<std::vector<Enqueued>>;

  explicit JobTransaction(Transaction& transaction) noexcept : transaction_(transaction) {}

  /// All or none of each request; no answer for those that `patience` leaves to others. Errors:
  /// overloaded (max_waiting).
  std::vector<std::optional<EnqueueResult>> enqueue(
      std::span<const std::span<const NewJob>> requests, Patience patience);
  /// With no patience those whose keys others have are told `later`.
  std::vector<Settled> settle(std::span<const Settlement> settlements, Patience patience);
  /// Errors: conflict, the worker has no lease.
  Result<std::vector<ClaimedJob>> claim(WorkerId worker, std::span<const ClaimQuota> quotas,
                                        ClaimCursors& cursors);
  std::vector<Backlog> backlog(std::span<const std::string> kinds, ClaimCursors& cursors);
  HeartbeatReply heartbeat(WorkerId worker, std::chrono::milliseconds lease);
  MaintenanceReport maintain(int limit, std::chrono::milliseconds retention);
  /// Makes the tables of the next days, drops that of the oldest day if all of it is older; how
  /// many jobs that were. In a transaction of its own: it locks what others want soon.
  int keep_days(std::chrono::milliseconds retention);
  /// Errors: not_found, conflict. PgError if others hold for more than a second what it needs.
  Result<JobInfo> control(const TenantId& tenant, JobId id, JobAction action);

  // For operators:
  JobStoreStats stats();
  void pause(std::string_view kind);
  void resume(std::string_view kind);
  int prune(std::int64_t before, int limit);
  /// Errors: data_loss.
  Result<void> check();

  std::vector<ReadyJob> made_ready() const { return counts_.made_ready(); }
  /// For the cursors, once it is committed: of each queue, the last job that was claimed.
  const std::vector<ReadyJob>& claimed_up_to() const noexcept { return claimed_up_to_; }

 private:
  struct Met;
  std::vector<Settled> record(std::span<const Settlement> settlements);
  std::vector<bool> held_up(std::span<const Settlement> settlements);
  Met meet(std::span<const Settlement> settlements);
  bool apply(const Settlement& settlement, Met& met);
  bool advance(JobRow& row, const decide::JobEvent& event);
  void keep(JobRow row);
  /// Applies the event to those whose turns it does not end, or whose keys nobody else has; the
  /// rest stays as it is. How many there were, and were discarded.
  std::pair<int, int> advance_free(JobRows rows,
                                   const std::function<decide::JobEvent(const JobRow&)>& event);
  void promote(const Rows& due);
  /// Asks for what `known` wants and for the keys of jobs that end; unblocks who is next.
  void look_up(KeyLookup& known);
  void give_turns(KeyLookup& known);
  void write_ends();
  void write_events();
  std::vector<Rows> commit(NewJobs* made = nullptr);
  Rows pick(WorkerId worker, std::span<const ClaimQuota> quotas,
            const std::vector<std::int64_t>& low);
  std::vector<JobRow> take(const Rows& picked, std::span<const ClaimQuota> quotas);
  std::vector<ClaimedJob> hand_out(std::vector<JobRow> jobs);
  Result<JobInfo> cancel_next_in_line(const JobRow& found);
  Result<JobInfo> cancel(JobRow row);
  Result<JobInfo> redrive(JobRow row);

  Transaction& transaction_;
  JobCounts counts_;
  JobRows updates_;
  std::map<TenantId, JobRows> closes_;
  std::map<TenantId, JobRows> done_;  // moved already, their keys not yet
  std::map<TenantId, std::vector<const JobEvent*>> events_;
  std::vector<ReadyJob> claimed_up_to_;
};

}  // namespace aiserve::inline v0::pg
