#include <atomic>
#include <chrono>

#include <doctest/doctest.h>
#include <poll.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/postgres/postgres_job_store.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::PostgresServer;
using testing::server_or_skip;

namespace {

const TenantId kTenant("t");
const Context& kCtx = Context::background();

/// What a process is: a Runtime and a store in a database that others use as well.
struct Process {
  explicit Process(const std::string& dsn)
      : telemetry({.log_sink = [](LogLevel, std::string_view) {}}),
        runtime({.io_threads = 2, .telemetry = &telemetry}),
        store(runtime, {.dsn = dsn, .connections = 3}) {}
  ~Process() { runtime.shutdown(); }

  /// Rings are counted, and can be waited for.
  void count_rings() {
    store.on_ready([this] {
      ++rings;
      rings.notify_all();
    });
  }
  void wait_for_more_rings_than(int count) {
    for (int seen = rings.load(); seen <= count; seen = rings.load()) rings.wait(seen);
  }
  bool enqueue(std::string kind, int count = 1) {
    const std::vector<NewJob> jobs(static_cast<std::size_t>(count),
                                   NewJob(kTenant, std::move(kind), Bytes()));
    return block_on(runtime, store.enqueue(kCtx, jobs)).ok();
  }

  Telemetry telemetry;
  Runtime runtime;
  PostgresJobStore store;
  std::atomic<int> rings{0};
};

void end_listeners(PostgresServer& server, const std::string& database) {
  server.run("postgres",
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database +
                 "' AND query LIKE 'LISTEN%'");
}

}  // namespace

TEST_CASE("a process hears of the jobs of another one, and again after its connection was lost") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  Process hearing(server->dsn(name));
  hearing.count_rings();
  hearing.runtime.start();
  Process telling(server->dsn(name));
  telling.runtime.start();
  hearing.wait_for_more_rings_than(0);  // listens from here on
  REQUIRE(telling.enqueue("kind"));
  hearing.wait_for_more_rings_than(1);
  const int before = hearing.rings.load();
  end_listeners(*server, name);
  hearing.wait_for_more_rings_than(before);  // listens again
  const int again = hearing.rings.load();
  while (hearing.rings.load() == again) REQUIRE(telling.enqueue("kind"));
}

TEST_CASE("however many jobs become ready, others are told every 20 ms at most") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  Process telling(server->dsn(name));
  telling.runtime.start();
  const std::unique_ptr<PGconn, decltype(&PQfinish)> other(PQconnectdb(server->dsn(name).c_str()),
                                                           &PQfinish);
  PQclear(PQexec(other.get(), "LISTEN aiserve_job_ready"));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) REQUIRE(telling.enqueue("kind"));
  int told = 0;
  const auto count = [&] {
    REQUIRE(PQconsumeInput(other.get()) == 1);
    while (PGnotify* notify = PQnotifies(other.get())) {
      ++told;
      PQfreemem(notify);
    }
  };
  while (told == 0) {
    pollfd polled{PQsocket(other.get()), POLLIN, 0};
    ::poll(&polled, 1, -1);
    count();
  }
  telling.runtime.shutdown();
  const auto length = std::chrono::steady_clock::now() - begin;
  PQclear(PQexec(other.get(), "SELECT 1"));
  count();
  CHECK(told <= length / 20ms + 1);
}

TEST_CASE("jobs of many producers, run by two processes, have one outcome each") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  constexpr int kJobs = 300;
  std::array<std::atomic<int>, kJobs> runs{};
  std::atomic<int> ended{0};
  const auto handler = [&](const Context&, const Job& job) -> Async<JobOutcome> {
    ++runs.at(static_cast<std::size_t>(std::stoi(job.input().to_string())));
    ++ended;
    ended.notify_all();
    co_return JobOutcome::done(job.input());
  };
  Process one(server->dsn(name));
  Process two(server->dsn(name));
  {
    JobQueue first(one.runtime, one.store, {.concurrency = 4, .poll = 100ms});
    JobQueue second(two.runtime, two.store, {.concurrency = 4, .poll = 100ms});
    first.on("kind", handler);
    second.on("kind", handler);
    one.runtime.start();
    two.runtime.start();
    const auto produce = [&](const Context& ctx, const int& from) -> Async<void> {
      for (int i = from; i < kJobs; i += 10) {
        const Bytes input = Bytes::copy(std::to_string(i));
        NewJob job = first.make(ctx, "kind", input);
        if (i % 3 == 0) job.order_key = std::to_string(i % 7);
        if (i % 4 == 0) job.unique = JobUnique(std::to_string(i));
        const Result<Enqueued> made = co_await first.enqueue(ctx, job);
        if (!made) co_return made.error();
      }
      co_return success();
    };
    for (int i = 0; i < 10; ++i) spawn(one.runtime, kCtx, produce, i);
    for (int seen = 0; seen < kJobs; seen = ended.load()) ended.wait(seen);
    one.runtime.shutdown();
    two.runtime.shutdown();
  }
  for (const std::atomic<int>& count : runs) CHECK(count.load() == 1);
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.job_done WHERE state = 4") ==
        std::to_string(kJobs));
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.job") == "0");
  CHECK(server->run(name,
                    "SELECT sum(waiting) || ' ' || sum(ready) || ' ' || sum(running) "
                    "FROM aiserve.job_count") == "0 0 0");
}
