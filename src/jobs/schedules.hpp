// Schedules: enqueues a job at every run of a cron expression. Once per cluster, because a run's
// instant is part of the job's unique key. A coroutine on the queue's thread.
#pragma once

#include <functional>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "aiserve/jobs/job_queue_options.hpp"
#include "decide/cron_schedule.hpp"
#include "jobs/bell.hpp"

namespace aiserve::inline v0::detail {

class Schedules {
 public:
  /// Enqueues one job, as JobQueue::enqueue does.
  using Enqueue = std::function<Async<void>(const Context&, const NewJob&)>;

  explicit Schedules(Runtime& runtime) : runtime_(runtime) {}

  /// Throws ConfigError: the expression or the zone is none, or the name is taken.
  void add(const std::string& name, const JobSchedule& schedule);
  bool empty() const noexcept { return entries_.empty(); }
  Task run(Enqueue enqueue);
  void end() noexcept;

 private:
  struct Entry {
    std::string name;
    NewJob job;
    decide::CronExpression cron;
    decide::TimeZone zone;
    decide::CatchUpPolicy policy;
    decide::Nanos last;
  };

  /// When to look again, wall time.
  boost::asio::awaitable<decide::Nanos> tend(Entry& entry, const Enqueue& enqueue);

  Runtime& runtime_;
  std::vector<Entry> entries_;
  Bell bell_;
  std::atomic<bool> ended_{false};
};

}  // namespace aiserve::inline v0::detail
