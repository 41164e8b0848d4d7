#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/sqlite/sqlite_job_store.hpp"
#include "aiserve/sqlite/sqlite_stores.hpp"
#include "support/contended_key.hpp"
#include "support/temporary_folder.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::TemporaryFolder;

namespace {

const TenantId kTenant("t");
const Context& kCtx = Context::background();

struct Threads {
  explicit Threads(const TemporaryFolder& folder)
      : telemetry({.log_sink = [](LogLevel, std::string_view) {}}),
        runtime({.io_threads = 2, .telemetry = &telemetry}),
        database(
            runtime,
            {.path = folder.file("stores.db"), .sync = SqliteSync::normal, .busy_timeout = 2s}),
        values(database),
        jobs(database) {
    runtime.start();
  }
  ~Threads() { runtime.shutdown(); }

  Telemetry telemetry;
  Runtime runtime;
  SqliteDatabase database;
  SqliteKeyValueStore values;
  SqliteJobStore jobs;
};

}  // namespace

TEST_CASE("of many that compare and set one key from several threads each succeeds in turn") {
  const TemporaryFolder folder;
  Threads bench(folder);
  testing::ContendedKey(bench.runtime, bench.values).count_in_turn(25);
}

TEST_CASE("of many that add to one key from several threads none is lost, and none too many") {
  const TemporaryFolder folder;
  Threads bench(folder);
  testing::ContendedKey(bench.runtime, bench.values).add_up_to(150, 50);
}

TEST_CASE("beside a process that commits all the time another one has its turns") {
  const TemporaryFolder folder;
  Threads busy(folder);
  Threads other(folder);
  std::atomic<bool> enough{false};
  const auto produce = [&](const Context& ctx) -> Async<void> {
    const std::vector<NewJob> one(1, NewJob(kTenant, "kind", Bytes()));
    while (!enough.load()) {
      const auto done = co_await busy.jobs.enqueue(ctx, one);
      if (!done) co_return done.error();
    }
    co_return success();
  };
  for (int i = 0; i < 64; ++i) spawn(busy.runtime, kCtx, produce);
  const Bytes value = Bytes::literal("v");
  const PutOptions any;
  for (int i = 0; i < 30; ++i) {
    const StoreKey key(kTenant, std::to_string(i));
    const auto done = block_on(other.runtime, other.values.put(kCtx, key, value, any));
    CHECK_MESSAGE(done.ok(), (done.ok() ? "" : done.error().to_string()));
  }
  enough = true;
}

TEST_CASE("workers on several threads complete every job once while others enqueue") {
  const TemporaryFolder folder;
  Threads bench(folder);
  constexpr int kJobs = 300;
  std::atomic<int> completed{0};
  std::atomic<int> stale{0};
  const auto enqueue = [&](int n) {
    for (int i = 0; i < n; i += 10) {
      const std::vector<NewJob> jobs(10, NewJob(kTenant, "kind", Bytes::literal("x")));
      REQUIRE(block_on(bench.runtime, bench.jobs.enqueue(kCtx, jobs)).ok());
    }
  };
  const auto work = [&] {
    const WorkerId worker = WorkerId::generate();
    REQUIRE(block_on(bench.runtime, bench.jobs.heartbeat(kCtx, worker, 60s)).ok());
    while (completed.load() < kJobs) {
      const std::vector<ClaimQuota> quotas{{kTenant, "kind", 7}};
      const auto claimed = block_on(bench.runtime, bench.jobs.claim(kCtx, worker, quotas)).value();
      std::vector<Settlement> done;
      for (const ClaimedJob& job : claimed) done.emplace_back(job, worker, JobOutcomeKind::done);
      const auto settled = block_on(bench.runtime, bench.jobs.settle(kCtx, done)).value();
      for (const Settled one : settled) ++(one == Settled::applied ? completed : stale);
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(enqueue, kJobs / 2);
  threads.emplace_back(enqueue, kJobs / 2);
  threads.emplace_back(work);
  threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  CHECK(completed.load() == kJobs);
  CHECK(stale.load() == 0);
  const SqliteStats stats = bench.database.stats();
  CHECK(stats.commits <= stats.writes);
  CHECK(stats.failures == 0);
}

TEST_CASE("a shutdown answers every write that waits") {
  const TemporaryFolder folder;
  std::atomic<int> answered{0};
  constexpr int kWrites = 200;
  {
    Threads bench(folder);
    const auto put = [&](const Context& ctx, const int& i) -> Async<void> {
      const StoreKey key(kTenant, std::to_string(i));
      const Bytes value = Bytes::literal("v");
      const PutOptions any;
      const auto done = co_await bench.values.put(ctx, key, value, any);
      ++answered;
      co_return success();
    };
    for (int i = 0; i < kWrites; ++i) spawn(bench.runtime, kCtx, put, i);
    bench.runtime.shutdown();
  }
  CHECK(answered.load() == kWrites);
}
