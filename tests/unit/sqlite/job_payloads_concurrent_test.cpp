// A queue with its real threads, in SQLite, with its large payloads in files.
#include <condition_variable>
#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/sqlite/sqlite_job_store.hpp"
#include "aiserve/storage/file_object_store.hpp"
#include "support/temporary_folder.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::TemporaryFolder;

TEST_CASE("large payloads of many threads come and go as they were") {
  constexpr int kThreads = 3;
  constexpr int kEach = 30;
  const TemporaryFolder folder;
  std::mutex mutex;
  std::condition_variable changed;
  int ended = 0;
  std::vector<std::pair<JobId, std::string>> sent;
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  FileObjectStore objects(runtime, {.root = folder.file("payloads"), .sync = false});
  SqliteJobStore store(runtime, {.path = folder.file("jobs.db")});
  JobQueue jobs(runtime, store,
                {.concurrency = 8, .offload = {.objects = &objects, .above = 1024, .sweep = 10s}});
  jobs.on("echo", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    const std::scoped_lock lock(mutex);
    ++ended;
    changed.notify_all();
    co_return JobOutcome::done(job.input());
  });
  runtime.start();
  const Context ctx(ContextOptions{.tenant = Tenant({.id = TenantId("t")})});
  std::vector<std::thread> producers;
  for (int t = 0; t < kThreads; ++t) {
    producers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        std::string text(static_cast<std::size_t>(500 + i * 100), static_cast<char>('a' + t));
        const Bytes input = Bytes::copy(text);
        const Result<Enqueued> made = block_on(runtime, jobs.enqueue(ctx, "echo", input));
        const std::scoped_lock lock(mutex);
        if (made) sent.emplace_back(made->id, std::move(text));
      }
    });
  }
  for (std::thread& producer : producers) producer.join();
  REQUIRE(sent.size() == kThreads * kEach);
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ended >= kThreads * kEach; });
  }
  REQUIRE(block_on(runtime, jobs.drain(ctx)).ok());
  for (const auto& [id, text] : sent) {
    const Result<JobInfo> info = block_on(runtime, jobs.get(ctx, id));
    REQUIRE(info.ok());
    REQUIRE(info->state == JobState::completed);
    CHECK(info->result->text() == text);
  }
  runtime.shutdown();
}
