// LeaseKeeper: the worker incarnation of this process and its heartbeats. A coroutine on the
// queue's own thread, which never runs handlers: a handler that hogs its thread loses no lease.
#pragma once

#include "aiserve/core/runtime.hpp"
#include "decide/lease_watch.hpp"
#include "jobs/bell.hpp"
#include "jobs/job_dispatcher.hpp"

namespace aiserve::inline v0::detail {

class LeaseKeeper {
 public:
  LeaseKeeper(Runtime& runtime, JobStore& store, std::chrono::milliseconds lease,
              JobDispatcher& dispatcher, JobMetrics& metrics)
      : runtime_(runtime),
        store_(store),
        lease_(lease),
        dispatcher_(dispatcher),
        metrics_(metrics) {}

  /// Until end(); then it gives the lease up.
  Task run();
  void end() noexcept;

 private:
  /// From the first heartbeat of an incarnation until its lease is lost, or the end.
  boost::asio::awaitable<void> live();
  boost::asio::awaitable<Result<HeartbeatReply>> beat(WorkerId worker, Duration patience,
                                                      std::chrono::milliseconds lease);
  /// Jobs whose claim was not answered: at once available again, without having used an attempt.
  boost::asio::awaitable<void> give_back(WorkerId worker, const HeartbeatReply& reply);
  /// False: the store says that the lease is lost.
  bool take(const Result<HeartbeatReply>& reply);
  TimePoint now() const noexcept { return runtime_.clock().now(); }

  Runtime& runtime_;
  JobStore& store_;
  const std::chrono::milliseconds lease_;
  JobDispatcher& dispatcher_;
  JobMetrics& metrics_;
  Bell bell_;
  std::atomic<bool> ended_{false};
};

}  // namespace aiserve::inline v0::detail
