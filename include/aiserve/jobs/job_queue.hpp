/// JobQueue: durable jobs over a JobStore: enqueues them, and runs them with the handlers of this
/// process.
///
/// enqueue() answers after the commit; from then on the job has an outcome one day, whatever
/// happens to this process. Execution is at least once: a handler may run again after a crash, a
/// lost lease or a shutdown. Of each job exactly one attempt's outcome is recorded. Slots go to the
/// tenants by weight, charged by what their jobs cost. One queue per store and process.
/// A shutdown stops claiming at once, lets handlers finish, then cancels them with reason shutdown
/// and gives their jobs back. The store, its readers and what options point to outlive the queue.
/// *Thread safety:* wiring (on, schedule) before the Runtime starts; operations on any I/O thread
/// of the Runtime; pause, resume, snapshot: any thread.
/// *Errors:* the constructor and wiring throw ConfigError. enqueue(): invalid_argument, too_large,
/// overloaded (the tenant's queue is full, or the job would certainly start after its
/// start_before), unavailable, and those of the Context; after deadline_exceeded, cancelled or
/// unavailable a job may be there: say it again with a unique key.
///
///     JobQueue jobs(runtime, store, {.concurrency = 8, .max_attempts = 5, .lease = 30s});
///     jobs.on("classify", handler);
///     const Result<Enqueued> id = co_await jobs.enqueue(ctx, "classify", image);
#pragma once

#include <aiserve/jobs/job_handler.hpp>
#include <aiserve/jobs/job_queue_options.hpp>
#include <aiserve/jobs/job_reader.hpp>

#include <concepts>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

class Runtime;

struct JobQueueSnapshot {
  std::int64_t ready = 0;     ///< of the kinds of this process, as last seen
  std::size_t held = 0;       ///< claimed by this process
  std::size_t running = 0;    ///< of those: handlers
  bool claiming = false;      ///< more may be on their way
  std::size_t unsettled = 0;  ///< outcomes that wait for the store
  std::size_t stuck = 0;      ///< handlers that run on beyond the timeout
  bool leased = false;        ///< this process is known as a worker
};

class JobQueue {
 public:
  JobQueue(Runtime& runtime, JobStore& store, JobReader& reader, JobQueueOptions options = {});
  /// A store that is both.
  template <class Store>
  requires(std::derived_from<Store, JobStore>&& std::derived_from<Store, JobReader>)
      JobQueue(Runtime& runtime, Store& store, JobQueueOptions options = {})
      : JobQueue(runtime, static_cast<JobStore&>(store), static_cast<JobReader&>(store),
                 std::move(options)) {}
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  /// Throws ConfigError for a kind and version that has a handler.
  JobQueue& on(std::string kind, JobHandler handler) {
    return on(std::move(kind), {}, std::move(handler));
  }
  JobQueue& on(std::string kind, JobKindOptions options, JobHandler handler);
  /// Enqueues a job at every run, once however many processes have the schedule: its name and the
  /// instant are a unique key. Needs no handler here.
  JobQueue& schedule(std::string name, JobSchedule schedule);

  /// A job of the Context's tenant with the defaults of this queue and kind (in the highest version
  /// that has a handler here) and the Context's trace.
  NewJob make(const Context& ctx, std::string_view kind, const Bytes& input) const;
  Async<Enqueued> enqueue(const Context& ctx, std::string_view kind, const Bytes& input);
  Async<Enqueued> enqueue(const Context& ctx, const NewJob& job);
  /// All or none.
  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::span<const NewJob> jobs);

  /// Of the Context's tenant. Errors: those of JobReader.
  Async<JobInfo> get(const Context& ctx, JobId id);
  /// The same without the result, which may be large: it is not read.
  Async<JobInfo> info(const Context& ctx, JobId id);
  Async<Bytes> input(const Context& ctx, JobId id);
  Async<std::vector<JobInfo>> list(const Context& ctx, const JobPage& page);
  /// A waiting job at once. A running one is asked to end: at once if it runs here, else with its
  /// worker's next heartbeat.
  Async<JobInfo> cancel(const Context& ctx, JobId id);
  Async<JobInfo> redrive(const Context& ctx, JobId id);
  /// Redrives dead letters of a kind (all versions, or one: "kind@2"), latest first, at most
  /// `limit` (1 to 10,000); how many. Goes past those that others redrove or pruned meanwhile, and
  /// past a few whose order keys others hold. What ends it early is an error if none was redriven.
  Async<int> redrive_dead(const Context& ctx, std::string_view kind, int limit);

  /// No more claims of a kind (all versions), or of all kinds, by this process. What runs goes on.
  void pause(std::string_view kind);
  void pause();
  void resume(std::string_view kind);
  /// Also of the kinds that were paused one by one.
  void resume();
  /// Pauses all kinds, and ends when no handler runs here.
  Async<void> drain(const Context& ctx);

  JobQueueSnapshot snapshot() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
