// Upkeep: has the store do, now and then and when a waiting job is due, what has to be done: take
// jobs from dead workers, make due jobs ready, forget old ones. A coroutine on the queue's thread.
#pragma once

#include <mutex>
#include <optional>

#include "aiserve/core/runtime.hpp"
#include "jobs/bell.hpp"
#include "jobs/job_metrics.hpp"

namespace aiserve::inline v0::detail {

class Upkeep {
 public:
  Upkeep(Runtime& runtime, JobStore& store, Duration interval, JobMetrics& metrics)
      : runtime_(runtime), store_(store), interval_(interval), metrics_(metrics) {}

  Task run();
  void end() noexcept;
  /// Any thread: a job that this process knows of is due then.
  void due_at(WallTime at);

 private:
  boost::asio::awaitable<bool> maintain();
  Deadline next(TimePoint began);
  void pace(const MaintenanceReport& report);

  Runtime& runtime_;
  JobStore& store_;
  const Duration interval_;
  JobMetrics& metrics_;
  Bell bell_;
  Duration rest_{0};  // at least, before the store is asked again about a job that is due
  std::mutex mutex_;
  std::optional<WallTime> due_;
  std::atomic<bool> ended_{false};
};

}  // namespace aiserve::inline v0::detail
