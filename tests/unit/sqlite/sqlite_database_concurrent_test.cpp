#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/sqlite/sqlite_job_store.hpp"
#include "aiserve/sqlite/sqlite_stores.hpp"
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
        database(runtime, {.path = folder.file("stores.db"), .sync = SqliteSync::normal}),
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
  constexpr int kAdders = 4;
  constexpr int kEach = 25;
  const StoreKey key(kTenant, "counter");
  const auto add_one = [&]() -> bool {
    const auto old = block_on(bench.runtime, bench.values.get(kCtx, key)).value();
    const int count = old ? std::stoi(old->value().to_string()) : 0;
    const PutOptions same{.if_version = old ? old->version() : PutOptions::kAbsent};
    const Bytes value = Bytes::copy(std::to_string(count + 1));
    return block_on(bench.runtime, bench.values.put(kCtx, key, value, same)).ok();
  };
  std::vector<std::thread> adders;
  adders.reserve(kAdders);
  for (int i = 0; i < kAdders; ++i) {
    adders.emplace_back([&] {
      for (int done = 0; done < kEach;) done += add_one() ? 1 : 0;
    });
  }
  for (std::thread& adder : adders) adder.join();
  const auto value = block_on(bench.runtime, bench.values.get(kCtx, key)).value();
  CHECK(value->value().text() == std::to_string(kAdders * kEach));
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
