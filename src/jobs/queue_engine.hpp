// QueueEngine: the parts of a JobQueue, wired, and their life with the Runtime.
#pragma once

#include "aiserve/core/gate.hpp"
#include "aiserve/core/runtime.hpp"
#include "jobs/job_dispatcher.hpp"
#include "jobs/job_thread.hpp"
#include "jobs/lease_keeper.hpp"
#include "jobs/object_sweep.hpp"
#include "jobs/schedules.hpp"
#include "jobs/upkeep.hpp"

namespace aiserve::inline v0::detail {

class QueueEngine {
 public:
  QueueEngine(Runtime& runtime, JobStore& store, JobReader& reader, JobQueueOptions options);
  ~QueueEngine();
  QueueEngine(const QueueEngine&) = delete;
  QueueEngine& operator=(const QueueEngine&) = delete;

  void add_kind(std::string kind, const JobKindOptions& options, JobHandler handler);
  void add_schedule(const std::string& name, const JobSchedule& schedule);
  /// What the kind says of its jobs: version, attempts, timeout.
  void set_defaults(NewJob& job) const;
  /// Changes the jobs into what the store is given.
  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::vector<NewJob>& jobs);

  JobDispatcher& dispatcher() noexcept { return dispatcher_; }
  ClaimPlanner& planner() noexcept { return planner_; }
  const JobPayloads& payloads() const noexcept { return payloads_; }

 private:
  bool works() const noexcept { return options_.concurrency > 0 && !kinds_.all().empty(); }
  Result<void> admit(const Context& ctx, const NewJob& job, std::size_t count) const;
  /// Errors: see JobPayloads::store(). Nothing is kept then.
  Async<void> store_inputs(const Context& ctx, std::vector<NewJob>& jobs) const;
  /// Objects whose jobs certainly were not taken.
  boost::asio::awaitable<void> drop_unused(const std::vector<NewJob>& jobs,
                                           const Result<std::vector<Enqueued>>& done) const;
  void count_enqueued(const std::vector<NewJob>& jobs, const std::vector<Enqueued>& done);
  Component component();
  void start();
  void cancel();
  Task live(IoThread* home);
  Task dispatch(IoThread* home);
  Async<void> enqueue_run(const Context& ctx, const NewJob& job);
  std::string status() const;

  Runtime& runtime_;
  JobStore& store_;
  const JobQueueOptions options_;
  JobMetrics metrics_;
  JobPayloads payloads_;
  KindTable kinds_;
  RateRows rate_rows_;
  RateKeeper rates_;
  ClaimPlanner planner_;
  JobDoor door_;
  JobRunner runner_;
  JobDispatcher dispatcher_;
  LeaseKeeper lease_;
  Upkeep upkeep_;
  ObjectSweep sweep_;
  Schedules schedules_;
  Gate gate_;
  Gate::Pass inside_;
  IoThread* home_ = nullptr;
  JobThread thread_;  // its frames go before what they use
  Attachment attachment_;
};

}  // namespace aiserve::inline v0::detail
