// A JobQueue with its real threads.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "unit/jobs/faulty_job_store.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

const TenantId kTenant("t");

Context tenant_context() { return Context(ContextOptions{.tenant = Tenant({.id = kTenant})}); }

/// Something to wait for that other threads do.
class Countdown {
 public:
  explicit Countdown(int left) : left_(left) {}
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
  int left_;
};

}  // namespace

TEST_CASE("jobs from many threads each run once and are all recorded") {
  constexpr int kThreads = 4;
  constexpr int kEach = 250;
  Countdown ended(kThreads * kEach);
  std::atomic<int> runs{0};
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  MemoryJobStore store;
  JobQueue jobs(runtime, store, {.concurrency = 16});
  jobs.on("a", [&](const Context& ctx, const Job& job) -> Async<JobOutcome> {
    runs.fetch_add(1);
    const Result<void> slept = co_await sleep(ctx, 10us);
    ended.count();
    co_return slept ? JobOutcome::done(job.input()) : JobOutcome::from(slept);
  });
  runtime.start();
  std::vector<std::thread> producers;
  std::mutex mutex;
  std::vector<JobId> ids;
  for (int t = 0; t < kThreads; ++t) {
    producers.emplace_back([&] {
      const Context ctx = tenant_context();
      for (int i = 0; i < kEach; ++i) {
        const Bytes input = Bytes::copy(std::to_string(i));
        const Result<Enqueued> made = block_on(runtime, jobs.enqueue(ctx, "a", input));
        const std::scoped_lock lock(mutex);
        if (made) ids.push_back(made->id);
      }
    });
  }
  for (std::thread& producer : producers) producer.join();
  ended.wait();
  REQUIRE(ids.size() == kThreads * kEach);
  const Context ctx = tenant_context();
  REQUIRE(block_on(runtime, jobs.drain(ctx)).ok());
  for (const JobId id : ids) {
    CHECK(block_on(runtime, jobs.get(ctx, id)).value().state == JobState::completed);
  }
  CHECK(runs == kThreads * kEach);
  runtime.shutdown();
}

TEST_CASE("a handler that hogs its thread beyond the lease loses no lease") {
  class CountingStore final : public JobStore {
   public:
    CountingStore(MemoryJobStore& below, Countdown& beats) : below_(below), beats_(beats) {}
    Async<std::vector<Enqueued>> enqueue(const Context& ctx,
                                         std::span<const NewJob> jobs) override {
      return below_.enqueue(ctx, jobs);
    }
    Async<std::vector<Backlog>> backlog(const Context& ctx,
                                        std::span<const std::string_view> kinds) override {
      return below_.backlog(ctx, kinds);
    }
    Async<std::vector<ClaimedJob>> claim(const Context& ctx, WorkerId worker,
                                         std::span<const ClaimQuota> quotas) override {
      return below_.claim(ctx, worker, quotas);
    }
    Async<std::vector<Settled>> settle(const Context& ctx,
                                       std::span<const Settlement> settlements) override {
      return below_.settle(ctx, settlements);
    }
    Async<HeartbeatReply> heartbeat(const Context& ctx, WorkerId worker,
                                    std::chrono::milliseconds lease) override {
      beats_.count();
      return below_.heartbeat(ctx, worker, lease);
    }
    Async<MaintenanceReport> maintain(const Context& ctx, int max_rows) override {
      return below_.maintain(ctx, max_rows);
    }
    void on_ready(std::function<void()> ready) override { below_.on_ready(std::move(ready)); }

   private:
    MemoryJobStore& below_;
    Countdown& beats_;
  };

  Countdown beats(5);  // the first before the job, all a third of the lease apart: it is exceeded
  Countdown ended(1);
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.telemetry = &telemetry});
  MemoryJobStore below;
  CountingStore store(below, beats);
  JobQueue jobs(runtime, store, below, {.concurrency = 1, .lease = 2s});
  bool cancelled = true;
  jobs.on("hog", [&](const Context& ctx, const Job&) -> Async<JobOutcome> {
    beats.wait();
    cancelled = ctx.cancelled();
    ended.count();
    co_return JobOutcome::done();
  });
  runtime.start();
  const Context ctx = tenant_context();
  const Bytes input;
  const JobId id = block_on(runtime, jobs.enqueue(ctx, "hog", input)).value().id;
  ended.wait();
  REQUIRE(block_on(runtime, jobs.drain(ctx)).ok());
  CHECK_FALSE(cancelled);
  const JobInfo info = block_on(runtime, jobs.get(ctx, id)).value();
  CHECK(info.state == JobState::completed);
  CHECK(info.attempt == 1);
  runtime.shutdown();
}

TEST_CASE("a shutdown in the middle gives back what did not end") {
  Countdown begun(4);
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  MemoryJobStore store;
  std::vector<JobId> ids;
  const Context ctx = tenant_context();
  {
    Runtime runtime({.io_threads = 2, .drain_timeout = 0ms, .telemetry = &telemetry});
    JobQueue jobs(runtime, store, {.concurrency = 4});
    jobs.on("slow", [&](const Context& job_ctx, const Job&) -> Async<JobOutcome> {
      begun.count();
      const Result<void> slept = co_await sleep(job_ctx, 1h);
      co_return JobOutcome::from(slept);
    });
    runtime.start();
    for (int i = 0; i < 10; ++i) {
      const Bytes input;
      ids.push_back(block_on(runtime, jobs.enqueue(ctx, "slow", input)).value().id);
    }
    begun.wait();
    runtime.shutdown();
  }
  testing::SimRuntime sim;
  sim.start();
  for (const JobId id : ids) {
    const JobInfo info = block_on(sim.runtime(), store.get(ctx, kTenant, id)).value();
    CHECK(info.state == JobState::available);
    CHECK(info.crashes == 0);
  }
}

TEST_CASE("a queue that never started can be destroyed") {
  Runtime runtime;
  MemoryJobStore store;
  JobQueue jobs(runtime, store);
  jobs.on("a",
          [](const Context&, const Job&) -> Async<JobOutcome> { co_return JobOutcome::done(); });
  CHECK_FALSE(jobs.snapshot().leased);
}
