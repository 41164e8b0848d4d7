/// JobStore: the port to a durable queue of jobs. JobQueue decides, a store obeys: it keeps jobs,
/// hands them out by quota, and records of each exactly one attempt's outcome.
///
/// What a call answered is durable as far as the store is. A claim gives a job to one worker
/// incarnation under an attempt number; only a settlement that shows both is applied, so a worker
/// that lost its lease cannot finish what another one runs. A worker lives while it calls
/// heartbeat(); maintain() gives the jobs of dead workers back.
/// enqueue() and the readers speak for tenants. backlog, claim, heartbeat and maintain are the
/// queue's own and see all of them.
/// *Thread safety:* called on I/O threads of one Runtime, from several at once.
/// *Errors:* invalid_argument (a field out of range), too_large, overloaded (max_waiting, disk or
/// queue full), conflict (claim by a worker without a lease), unavailable, and those of the
/// Context. After deadline_exceeded, cancelled or unavailable a write may have happened or not.
///
///     const std::vector<NewJob> jobs{NewJob(tenant, "classify", input)};
///     Result<std::vector<Enqueued>> ids = co_await store.enqueue(ctx, jobs);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/jobs/job.hpp>

#include <functional>
#include <span>
#include <vector>

namespace aiserve::inline v0 {

struct Enqueued {
  JobId id{};
  bool existing = false;  ///< a unique key met a job that was there
};

/// What waits of one tenant and kind.
struct Backlog {
  TenantId tenant{};
  std::string kind{};
  std::int64_t ready = 0;
  std::int64_t running = 0;
  /// Since when the job waits that a claim would give first ...
  WallTime oldest{};
  /// ... and its place in line: that time plus kAgeing per step of its priority.
  WallTime turn{};
  /// By an operator (JobOperator::pause): a claim gives none.
  bool paused = false;
};

struct ClaimQuota {
  TenantId tenant{};
  std::string kind{};
  int n = 0;  ///< at most so many, 1 to 10,000
};

struct ClaimedJob {
  JobId id{};
  TenantId tenant{};
  std::string kind{};
  Bytes input{};
  int attempt = 0;  ///< shown by the settlement
  int max_attempts = 0;
  int used_attempts = 0;  ///< of max_attempts, this one included
  std::chrono::milliseconds timeout{};
  WallTime created_at{};
  WallTime ready_at{};  ///< since when it waited for this attempt
  std::string unique_key{};
  std::string order_key{};
  std::string trace{};
};

enum class JobOutcomeKind : std::uint8_t {
  done,
  retry,      ///< failed; again at `at`, or discarded when its attempts are used up
  snooze,     ///< again at `at`, without using an attempt
  cancel,     ///< pointless
  discard,    ///< can never succeed
  give_back,  ///< not begun, or interrupted by a shutdown: again at `at`, no attempt used
};

/// For subscribers, delivered through the outbox at least once, in order per tenant.
struct JobEvent {
  std::string topic{};
  Bytes payload{};
};

/// What became of an attempt. `next` and `events` take effect in the same transaction, or not at
/// all when the settlement is stale.
struct Settlement {
  Settlement(const ClaimedJob& job, WorkerId by, JobOutcomeKind what)
      : id(job.id), tenant(job.tenant), worker(by), attempt(job.attempt), outcome(what) {}

  JobId id;
  TenantId tenant;
  WorkerId worker;
  int attempt;
  JobOutcomeKind outcome;
  Bytes result{};       ///< of done
  WallTime at{};        ///< of retry, snooze and give_back; the past means at once
  std::string error{};  ///< of retry, cancel and discard; cut to 4 KiB
  std::vector<NewJob> next{};
  std::vector<JobEvent> events{};
};

enum class Settled : std::uint8_t {
  applied,
  stale,  ///< the job is no longer this worker's in this attempt; nothing was changed
  later,  ///< others hold an order or unique key that it needs; nothing was changed, say it again
};

struct JobRef {
  TenantId tenant{};
  JobId id{};
};

struct RunningJob {
  JobRef job{};
  int attempt = 0;
};

struct HeartbeatReply {
  /// The lease had ended: all that the worker ran is, or will be, given to others. It cannot be
  /// renewed: go on as a new WorkerId.
  bool lost = false;
  std::vector<JobRef> to_cancel{};  ///< of its running jobs
  /// All that runs under the worker as the store knows it. A store that leaves it empty lets jobs
  /// whose claim was never answered wait for their timeout.
  std::vector<RunningJob> running{};
};

struct MaintenanceReport {
  int promoted = 0;   ///< scheduled or retryable jobs whose time had come
  int rescued = 0;    ///< taken from dead workers, or from attempts beyond their timeout
  int discarded = 0;  ///< of the rescued: poison, or attempts used up
  int pruned = 0;     ///< finished jobs older than the retention
  /// When the next waiting job is due.
  std::optional<WallTime> next_due{};
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  /// All or none, in one transaction. Spans live until the operation completes.
  virtual Async<std::vector<Enqueued>> enqueue(const Context& ctx,
                                               std::span<const NewJob> jobs) = 0;
  /// What can be claimed of these kinds now, and what runs; nothing for a tenant that has neither.
  virtual Async<std::vector<Backlog>> backlog(const Context& ctx,
                                              std::span<const std::string_view> kinds) = 0;
  /// In the order in which they became ready, a step of priority counting as kAgeing.
  virtual Async<std::vector<ClaimedJob>> claim(const Context& ctx, WorkerId worker,
                                               std::span<const ClaimQuota> quotas) = 0;
  /// In the order of the settlements.
  virtual Async<std::vector<Settled>> settle(const Context& ctx,
                                             std::span<const Settlement> settlements) = 0;
  /// Makes the worker known, or its lease end `lease` from now; 0 ends it at once.
  virtual Async<HeartbeatReply> heartbeat(const Context& ctx, WorkerId worker,
                                          std::chrono::milliseconds lease) = 0;
  /// A piece of what has to be done now and then, at most about `max_rows` (1 to 100,000) of each
  /// sort. Any process may call it at any time.
  virtual Async<MaintenanceReport> maintain(const Context& ctx, int max_rows) = 0;
  /// `ready` is called, on any thread, when a call of this process may have made jobs ready. Set
  /// before the Runtime starts. Other processes' jobs are found by polling.
  virtual void on_ready(std::function<void()> ready) = 0;
};

}  // namespace aiserve::inline v0
