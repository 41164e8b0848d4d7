// JobDispatcher: claims jobs for the free slots of this process, starts their handlers, and tells
// the store what became of them.
//
// A coroutine on one thread that never runs handlers. A round of it is up to three calls of the
// store side by side, which a store with group commit makes one transaction: the outcomes since the
// last round, a claim for the slots that are free, and a look at what waits now.
#pragma once

#include <atomic>
#include <deque>
#include <map>

#include "aiserve/jobs/job_queue.hpp"
#include "jobs/bell.hpp"
#include "jobs/claim_planner.hpp"
#include "jobs/door.hpp"
#include "jobs/job_runner.hpp"
#include "jobs/settler.hpp"
#include "jobs/stray_watch.hpp"

namespace aiserve::inline v0::detail {

class JobDispatcher {
 public:
  struct Parts {
    Runtime& runtime;
    JobStore& store;
    const JobQueueOptions& options;
    const KindTable& kinds;
    JobMetrics& metrics;
    ClaimPlanner& planner;
    JobRunner& runner;
    JobDoor& door;
  };
  explicit JobDispatcher(const Parts& parts);

  /// Until it has drained. `home` is the thread it runs on.
  Task run(IoThread& home);

  // From any thread:
  void look() noexcept;
  /// The backlog is as it was, but more of it may start.
  void plan_again() noexcept;
  /// No more claims; what did not begin is given back.
  void drain() noexcept;
  /// Patience is over: handlers are cancelled.
  void cancel_all() noexcept;
  void cancel(JobRef job);
  JobQueueSnapshot snapshot() const noexcept;
  std::string busy_with() const;

  // From its own thread:
  void leased(WorkerId worker) noexcept;
  void lease_lost(WorkerId worker);
  WorkerId worker() const noexcept { return worker_; }
  /// Jobs of claims that were never answered, by what a heartbeat was told: to be given back.
  std::vector<Settlement> strays(WorkerId worker, const std::vector<RunningJob>& running);
  /// A handler has ended.
  void finished(JobRunPtr run);
  /// A settlement or claim may have made a job due later: called with its time.
  std::function<void(WallTime)> on_due;

 private:
  struct Round;

  bool over() const noexcept;
  bool wants_round(TimePoint now);
  boost::asio::awaitable<void> round();
  void take_claimed(const Result<std::vector<ClaimedJob>>& claimed, WorkerId by);
  void hold(const ClaimedJob& job);
  void drop(const JobRunPtr& run);
  void tend();
  void start(JobRunPtr run);
  void give_back(const JobRunPtr& run);
  void put_off(JobRunPtr run, Duration by);
  void judge(JobRun& run);
  void tell_outage(const JobRun& run);
  void settle(JobRunPtr run);
  void look_for_stuck(TimePoint now);
  void take_requests();
  void publish() noexcept;
  Deadline next_look(TimePoint now) const;
  std::size_t free_slots() const noexcept;
  Context context_of(const ClaimedJob& job, const JobKind& kind, TimePoint now) const;
  TimePoint now() const noexcept { return parts_.runtime.clock().now(); }

  const Parts parts_;
  Settler settler_;
  Bell bell_;
  IoThread* home_ = nullptr;
  std::vector<std::string_view> kind_names_;
  WorkerId worker_{};
  bool has_lease_ = false;
  std::vector<JobRunPtr> held_;    // waiting for a slot, or running
  std::deque<JobRunPtr> waiting_;  // of those
  std::size_t running_ = 0;
  StrayWatch stray_watch_;
  std::vector<ClaimQuota> quotas_;
  TimePoint claim_not_before_ = TimePoint::min();
  Duration claim_pause_{0};
  // What is known of the backlog was not read beside a claim, which it may or may not have seen.
  bool saw_claims_ = true;
  TimePoint next_poll_ = TimePoint::min();
  TimePoint next_stuck_look_ = TimePoint::min();
  std::map<const JobKind*, Deadline> outage_told_;  // not again before
  double round_seconds_ = 0;                        // mean of late
  bool cancelled_ = false;

  std::atomic<bool> look_{true};
  std::atomic<bool> claiming_{false};  // from before the plan until what was claimed is published
  std::atomic<bool> draining_{false};
  std::atomic<bool> cancel_all_{false};
  std::mutex mutex_;
  std::vector<JobRef> to_cancel_;
  mutable std::mutex snapshot_mutex_;
  JobQueueSnapshot snapshot_;
  std::string late_;  // what still ran when patience was over
};

}  // namespace aiserve::inline v0::detail
