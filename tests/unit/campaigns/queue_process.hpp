// A process with a JobQueue over a file, for campaigns that kill, stop and signal it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/sqlite/sqlite_job_store.hpp"
#include "support/temporary_folder.hpp"

namespace aiserve::inline v0::testing {

inline const TenantId kQueueTenant("t");

/// Waits for what other threads count.
class Countdown {
 public:
  explicit Countdown(std::int64_t left) : left_(left) {}
  void count() {
    const std::scoped_lock lock(mutex_);
    if (--left_ <= 0) reached_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    reached_.wait(lock, [this] { return left_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable reached_;
  std::int64_t left_;
};

/// `lease`: short for those that are to be taken for dead, so that nobody waits for long.
struct QueueProcess {
  QueueProcess(const TemporaryFolder& folder, LogSink log, RuntimeOptions options = {},
               std::chrono::milliseconds lease = std::chrono::seconds(30))
      : telemetry({.log_sink = std::move(log)}),
        runtime(with(std::move(options), telemetry)),
        store(runtime, {.path = folder.file("jobs.db")}),
        jobs(runtime, store, {.concurrency = 4, .lease = lease}) {}
  explicit QueueProcess(const TemporaryFolder& folder)
      : QueueProcess(folder, [](LogLevel, std::string_view) {}) {}
  ~QueueProcess() { runtime.shutdown(); }

  static RuntimeOptions with(RuntimeOptions options, Telemetry& telemetry) {
    options.telemetry = &telemetry;
    return options;
  }

  JobId enqueue(std::string_view kind, std::string_view input = {}) {
    const Bytes bytes = Bytes::copy(input);
    return block_on(runtime, jobs.enqueue(ctx, kind, bytes)).value().id;
  }
  JobInfo info(JobId id) { return block_on(runtime, jobs.get(ctx, id)).value(); }
  /// Until its outcomes are recorded.
  void drain() {
    if (!block_on(runtime, jobs.drain(ctx))) throw std::runtime_error("no drain");
  }

  Telemetry telemetry;
  Runtime runtime;
  SqliteJobStore store;
  JobQueue jobs;
  Context ctx{ContextOptions{.tenant = Tenant({.id = kQueueTenant})}};
};

}  // namespace aiserve::inline v0::testing
