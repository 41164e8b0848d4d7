#include <atomic>
#include <chrono>
#include <thread>

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
using testing::RawConnection;
using testing::server_or_skip;
using testing::wait_for_waiters;

namespace {

const TenantId kTenant("t");
const Context& kCtx = Context::background();

/// What a process is: a Runtime and a store in a database that others use as well.
struct Process {
  explicit Process(PostgresDatabaseOptions options, int io_threads = 2)
      : telemetry({.log_sink = [](LogLevel, std::string_view) {}}),
        runtime({.io_threads = io_threads, .telemetry = &telemetry}),
        database(runtime, std::move(options)),
        store(database) {}
  explicit Process(const std::string& dsn)
      : Process(PostgresDatabaseOptions{.dsn = dsn, .connections = 3}) {}
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
  PostgresDatabase database;
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

TEST_CASE("a lease is renewed while slow statements hold every connection and the queue is full") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  Process process(
      PostgresDatabaseOptions{.dsn = server->dsn(name), .connections = 2, .max_queue = 3});
  PostgresKeyValueStore values(process.database);
  process.runtime.start();
  const WorkerId worker = WorkerId::generate();
  const auto beat = [&] {
    return block_on(process.runtime, process.store.heartbeat(kCtx, worker, 60s));
  };
  REQUIRE(beat().ok());
  const RawConnection slow(server->dsn(name));
  slow.run("BEGIN; LOCK TABLE aiserve.key_value IN ACCESS EXCLUSIVE MODE");
  std::atomic<int> done{0};
  std::atomic<int> refused{0};
  const auto put = [&](const Context& ctx, const int& number) -> Async<void> {
    const StoreKey key(kTenant, std::to_string(number));
    const PutOptions any;
    const Bytes value;
    const Result<std::int64_t> kept = co_await values.put(ctx, key, value, any);
    std::atomic<int>& counter = kept ? done : refused;
    ++counter;
    counter.notify_all();
    co_return success();
  };
  const auto start = [&](int from, int to) {
    for (int i = from; i < to; ++i) spawn(process.runtime, kCtx, put, i);
  };
  start(0, 2);
  wait_for_waiters(*server, name, 2);
  start(2, 6);
  refused.wait(0);
  for (int i = 0; i < 3; ++i) {
    const Result<HeartbeatReply> reply = beat();
    REQUIRE(reply.ok());
    CHECK_FALSE(reply->lost);
  }
  CHECK(process.database.stats().queued == 3);
  CHECK(done == 0);
  slow.run("COMMIT");
  for (int seen = 0; seen < 5; seen = done.load()) done.wait(seen);
  CHECK(refused == 1);
}

TEST_CASE("cancelling a job and ending the one before it, at once, do not wait in a circle") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  Process process(server->dsn(name));
  process.runtime.start();
  NewJob first(kTenant, "kind", Bytes());
  first.order_key = "account 17";
  first.unique = JobUnique("first");
  NewJob second = first;
  second.unique = JobUnique("second");
  const std::vector<NewJob> jobs{first, second};
  const auto ids = block_on(process.runtime, process.store.enqueue(kCtx, jobs)).value();
  const WorkerId worker = WorkerId::generate();
  REQUIRE(block_on(process.runtime, process.store.heartbeat(kCtx, worker, 60s)).ok());
  const std::vector<ClaimQuota> quotas{{kTenant, "kind", 2}};
  const auto claimed = block_on(process.runtime, process.store.claim(kCtx, worker, quotas)).value();
  REQUIRE(claimed.size() == 1);
  // The settlement has the key and stops before it comes to the second job.
  const RawConnection gate(server->dsn(name));
  gate.run("BEGIN; SELECT 1 FROM aiserve.job_unique WHERE key = 'first' FOR UPDATE");
  std::atomic<int> ended{0};
  const auto settle = [&](const Context& ctx) -> Async<void> {
    const std::vector<Settlement> done{Settlement(claimed[0], worker, JobOutcomeKind::done)};
    const auto settled = co_await process.store.settle(ctx, done);
    CHECK(settled.ok());
    ++ended;
    ended.notify_all();
    co_return success();
  };
  const auto cancel = [&](const Context& ctx) -> Async<void> {
    const auto cancelled =
        co_await process.store.control(ctx, kTenant, ids[1].id, JobAction::cancel);
    CHECK(cancelled.ok());
    ++ended;
    ended.notify_all();
    co_return success();
  };
  spawn(process.runtime, kCtx, settle);
  wait_for_waiters(*server, name, 1);
  spawn(process.runtime, kCtx, cancel);
  wait_for_waiters(*server, name, 2);
  gate.run("COMMIT");
  for (int seen = 0; seen < 2; seen = ended.load()) ended.wait(seen);
  CHECK(process.database.stats().retries == 0);
  CHECK(
      server->run(name, "SELECT string_agg(state::text, ' ' ORDER BY id) FROM aiserve.job_done") ==
      "4 5");
  CHECK(server->run(name,
                    "SELECT sum(waiting) || ' ' || sum(ready) || ' ' || sum(running) "
                    "FROM aiserve.job_count") == "0 0 0");
}

TEST_CASE("however many processes enqueue at once, no more wait than may, and not one less") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  Process one(server->dsn(name));
  Process two(server->dsn(name));
  one.runtime.start();
  two.runtime.start();
  // Calls that share the lock, until the queue is half full; then calls that have it alone.
  constexpr int kMost = 900;
  std::atomic<int> made{0};
  std::atomic<int> refused{0};
  const auto produce = [&](Process& process, int jobs, const std::string& keys) {
    NewJob job(kTenant, "kind", Bytes());
    job.max_waiting = kMost;
    for (int i = 0; refused < 8; ++i) {
      // Calls with keys are not gathered into one.
      job.unique = JobUnique(keys + std::to_string(i));
      std::vector<NewJob> some(static_cast<std::size_t>(jobs), job);
      for (int k = 1; k < jobs; ++k) some[static_cast<std::size_t>(k)].unique.reset();
      const auto done = block_on(process.runtime, process.store.enqueue(kCtx, some));
      if (done) made += jobs;
      if (!done && done.error().code() == Errc::overloaded) ++refused;
    }
  };
  std::vector<std::thread> producers;
  for (int i = 0; i < 6; ++i) {
    Process& process = i % 2 == 0 ? one : two;
    const int jobs = i < 4 ? 2 : 1;
    producers.emplace_back(produce, std::ref(process), jobs, "producer " + std::to_string(i) + ' ');
  }
  for (std::thread& producer : producers) producer.join();
  CHECK(made <= kMost);
  CHECK(made >= kMost - 1);
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.job") == std::to_string(made.load()));
}

namespace {

/// A process with one I/O thread, and a host that has the lock of a bounded queue of `kTenant`.
struct LockedQueue {
  explicit LockedQueue(PostgresServer& server, int connections)
      : name(server.new_database()),
        process({.dsn = server.dsn(name), .connections = connections, .timeout = 5s}, 1),
        host(server.dsn(name)) {
    process.runtime.start();
    host.run("BEGIN");
    const std::vector<NewJob> jobs{job(kTenant)};
    REQUIRE(process.store.enqueue_in(host.get(), jobs).ok());
  }

  static NewJob job(const TenantId& tenant) {
    NewJob job(tenant, "kind", Bytes());
    job.max_waiting = 100;
    return job;
  }
  /// Returns at once.
  void start(const NewJob& job) {
    ++started;
    const auto enqueue = [this](const Context& ctx, const NewJob& given) -> Async<void> {
      const std::vector<NewJob> jobs{given};
      const auto made = co_await process.store.enqueue(ctx, jobs);
      if (made && given.tenant != kTenant) ++others;
      if (!made && made.error().code() == Errc::overloaded) ++overloaded;
      ++answered;
      answered.notify_all();
      co_return success();
    };
    spawn(process.runtime, kCtx, enqueue, job);
  }
  /// What was started waits in the store: there is one thread, which takes them in turn.
  void wait_until_started() {
    const auto nothing = [](const Context& /*ctx*/) -> Async<void> { co_return success(); };
    REQUIRE(block_on(process.runtime, nothing(kCtx)).ok());
  }
  void wait_for_all() {
    for (int seen = answered.load(); seen < started; seen = answered.load()) answered.wait(seen);
  }

  int started = 0;
  std::atomic<int> answered{0};
  std::atomic<int> others{0};
  std::atomic<int> overloaded{0};
  const std::string name;
  Process process;
  const RawConnection host;
};

}  // namespace

TEST_CASE("a bounded queue that a host has locked holds up no other tenant's jobs") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  LockedQueue bench(*server, 1);
  // The next group gathers while this one cannot write.
  const RawConnection gate(server->dsn(bench.name));
  gate.run(
      "BEGIN; INSERT INTO aiserve.job_count"
      " SELECT 'kind', 'first', generate_series(0, 63), 0, 0, 0, 0");
  bench.start(LockedQueue::job(TenantId("first")));
  wait_for_waiters(*server, bench.name, 1);
  bench.start(LockedQueue::job(kTenant));
  for (int i = 0; i < 8; ++i) bench.start(LockedQueue::job(TenantId("u" + std::to_string(i))));
  bench.wait_until_started();
  gate.run("ROLLBACK");
  bench.wait_for_all();
  CHECK(bench.others == 9);
  CHECK(bench.overloaded == 1);
  bench.host.run("COMMIT");
  bench.start(LockedQueue::job(kTenant));
  bench.wait_for_all();
  CHECK(bench.overloaded == 1);
  CHECK(server->run(bench.name, "SELECT count(*) FROM aiserve.job") == "11");
}

TEST_CASE("jobs that wait for a locked queue leave a connection for claims and outcomes") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  LockedQueue bench(*server, 4);
  PostgresJobStore& store = bench.process.store;
  const TenantId other("other");
  bench.start(LockedQueue::job(other));
  bench.wait_for_all();
  const WorkerId worker = WorkerId::generate();
  REQUIRE(block_on(bench.process.runtime, store.heartbeat(kCtx, worker, 60s)).ok());
  NewJob keyed = LockedQueue::job(kTenant);
  for (int i = 0; i < 200; ++i) {
    keyed.unique = JobUnique(std::to_string(i));
    bench.start(keyed);
  }
  bench.wait_until_started();
  const std::vector<ClaimQuota> quotas{{other, "kind", 1}};
  const auto claimed = block_on(bench.process.runtime, store.claim(kCtx, worker, quotas));
  REQUIRE_MESSAGE(claimed.ok(), claimed.error().to_string());
  REQUIRE(claimed->size() == 1);
  const std::vector<Settlement> done{Settlement((*claimed)[0], worker, JobOutcomeKind::done)};
  const auto settled = block_on(bench.process.runtime, store.settle(kCtx, done));
  REQUIRE_MESSAGE(settled.ok(), settled.error().to_string());
  // Another tenant's has its turn before all of these have had theirs.
  NewJob own = LockedQueue::job(other);
  own.unique = JobUnique("own");
  const std::vector<NewJob> jobs{own};
  const auto made = block_on(bench.process.runtime, store.enqueue(kCtx, jobs));
  CHECK_MESSAGE(made.ok(), made.error().to_string());
  bench.host.run("ROLLBACK");
  bench.wait_for_all();
}
