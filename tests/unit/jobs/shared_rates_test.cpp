// Rates that several processes share.
#include "aiserve/storage/memory_key_value_store.hpp"
#include "unit/jobs/faulty_job_store.hpp"
#include "unit/jobs/queue_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::ends;
using testing::FaultyJobStore;
using testing::SimRuntime;

namespace {

/// A KeyValueStore that fails, hangs or is late as a test wants, over one in memory.
class RateShelf final : public KeyValueStore {
 public:
  explicit RateShelf(const Clock& clock) : below_({.clock = &clock}) {}

  Async<std::optional<Versioned>> get(const Context& ctx, const StoreKey& key) override {
    const Result<void> here = co_await reach(ctx);
    if (!here) co_return here.error();
    co_return co_await below_.get(ctx, key);
  }
  Async<std::int64_t> put(const Context& ctx, const StoreKey& key, const Bytes& value,
                          const PutOptions& options) override {
    const Result<void> here = co_await reach(ctx);
    if (!here) co_return here.error();
    if (!foreign.empty()) {
      const Bytes other = Bytes::copy(std::string_view(foreign));
      const PutOptions any;
      static_cast<void>(co_await below_.put(ctx, key, other, any));
    }
    Result<std::int64_t> done = co_await below_.put(ctx, key, value, options);
    if (!done && done.error().code() == Errc::conflict) ++conflicts;
    if (done && lose_puts) co_return Error(Errc::unavailable, "lost");
    co_return done;
  }
  Async<Sum> add(const Context& ctx, const StoreKey& key, std::int64_t amount,
                 const AddOptions& options) override {
    co_return co_await below_.add(ctx, key, amount, options);
  }
  Async<bool> erase(const Context& ctx, const StoreKey& key,
                    std::optional<std::int64_t> if_version) override {
    co_return co_await below_.erase(ctx, key, if_version);
  }
  Async<std::vector<StoreKey>> list(const Context& ctx, const TenantId& tenant,
                                    const KeyPage& page) override {
    co_return co_await below_.list(ctx, tenant, page);
  }

  bool down = false;
  bool hangs = false;
  bool lose_puts = false;
  Duration late{0};
  std::string foreign;  // what somebody else writes just before each put
  int calls = 0;
  int conflicts = 0;

 private:
  Async<void> reach(const Context& ctx) {
    ++calls;
    if (down) co_return Error(Errc::unavailable, "down");
    if (hangs) co_return co_await sleep(ctx, 24h);
    if (late > Duration(0)) co_return co_await sleep(ctx, late);
    co_return success();
  }

  MemoryKeyValueStore below_;
};

/// Three processes: queues over one store of jobs and one of rates.
struct Cluster {
  explicit Cluster(JobKindOptions kind, int concurrency = 8)
      : telemetry({.log_sink = [this](LogLevel, std::string_view line) { log += line; }}),
        sim({.telemetry = &telemetry}),
        rates(sim.clock()),
        store({.clock = &sim.clock()}) {
    for (const char* name : {"one", "two", "three"}) {
      doors.push_back(std::make_unique<FaultyJobStore>(store));
      JobQueueOptions options{.name = name, .concurrency = concurrency, .poll = 100ms};
      options.rates.store = &rates;
      queues.push_back(
          std::make_unique<JobQueue>(sim.runtime(), *doors.back(), store, std::move(options)));
      const int number = static_cast<int>(queues.size());
      queues.back()->on("rated", kind, [this, number](const Context& ctx, const Job& job) {
        return note(ctx, job, number);
      });
      queues.back()->on("free", ends(JobOutcome::done(), &free_runs));
    }
  }

  Async<JobOutcome> note(const Context& ctx, const Job& job, int process) {
    static_cast<void>(ctx);
    starts.push_back(sim.clock().now());
    attempts_used = std::max(attempts_used, job.attempt());
    inputs.push_back(job.input().to_string());
    ++runs_of[process];
    co_return JobOutcome::done();
  }
  void flood(int count, const char* kind = "rated", const char* tenant = "t") {
    const Context ctx = testing::context_of(TenantId(tenant));
    const std::vector<NewJob> jobs(static_cast<std::size_t>(count),
                                   queues.front()->make(ctx, kind, Bytes()));
    REQUIRE(block_on(sim.runtime(), queues.front()->enqueue(ctx, jobs)).ok());
  }
  void enqueue(const std::string& input, const std::string& order_key) {
    const Context ctx = testing::context_of(testing::kTenant);
    NewJob job = queues.front()->make(ctx, "rated", Bytes::copy(std::string_view(input)));
    job.order_key = order_key;
    REQUIRE(block_on(sim.runtime(), queues.front()->enqueue(ctx, job)).ok());
  }
  /// The most starts in any span of that length.
  std::size_t most_within(Duration span) const {
    std::size_t most = 0;
    for (std::size_t first = 0, last = 0; last < starts.size(); ++last) {
      while (starts[last] - starts[first] >= span) ++first;
      most = std::max(most, last - first + 1);
    }
    return most;
  }

  std::string log;
  Telemetry telemetry;
  SimRuntime sim;
  RateShelf rates;
  MemoryJobStore store;
  std::vector<std::unique_ptr<FaultyJobStore>> doors;
  std::vector<std::unique_ptr<JobQueue>> queues;
  std::vector<TimePoint> starts;
  std::vector<std::string> inputs;
  std::map<int, int> runs_of;
  int attempts_used = 0;
  int free_runs = 0;
};

const JobKindOptions kTenPerSecond{.rate = {.per_second = 10}};

}  // namespace

TEST_CASE("a rate of ten per second is ten per second with three processes") {
  Cluster cluster(kTenPerSecond);
  cluster.sim.start();
  cluster.flood(1000);
  cluster.sim.advance(20s);
  // At 0, 0.1, ... 20 s.
  CHECK(cluster.starts.size() == 201);
  CHECK(cluster.most_within(1s) == 10);
  CHECK(cluster.most_within(100ms) == 1);
}

TEST_CASE("a shared burst is one burst, and it comes back after a pause") {
  Cluster cluster({.rate = {.per_second = 10, .burst = 5}});
  cluster.sim.start();
  cluster.flood(1000);
  cluster.sim.advance(99ms);
  CHECK(cluster.starts.size() == 5);
  cluster.sim.advance(901ms);
  CHECK(cluster.starts.size() == 15);
  CHECK(cluster.most_within(100ms) == 5);
}

TEST_CASE("tenants have rates of their own in all processes") {
  Cluster cluster(kTenPerSecond);
  cluster.sim.start();
  for (const char* tenant : {"a", "b", "c"}) cluster.flood(100, "rated", tenant);
  cluster.sim.advance(2s);
  CHECK(cluster.starts.size() == 63);
}

TEST_CASE("processes whose claims of a rate collide take no more than it allows") {
  Cluster cluster(kTenPerSecond);
  cluster.rates.late = 7ms;  // all three read before one has written
  cluster.sim.start();
  cluster.flood(1000);
  cluster.sim.advance(20s);
  CHECK(cluster.rates.conflicts > 50);
  CHECK(cluster.starts.size() <= 201);
  CHECK(cluster.starts.size() >= 150);
}

TEST_CASE("while the store of rates is away only rated jobs wait, and they start when it is back") {
  Cluster cluster(kTenPerSecond);
  cluster.rates.down = true;
  cluster.sim.start();
  cluster.flood(10);
  cluster.flood(1000, "free");
  cluster.sim.advance(1s);
  CHECK(cluster.starts.empty());
  CHECK(cluster.free_runs == 1000);
  cluster.sim.advance(10min);
  CHECK(cluster.starts.empty());
  // Asked by each process every 5 s, and every few ms in the beginning.
  CHECK(cluster.rates.calls < 3 * (600 / 5 + 20));
  CHECK(cluster.log.find("rates of jobs cannot be read now") != std::string::npos);
  cluster.rates.down = false;
  cluster.sim.advance(5s + 2s);
  CHECK(cluster.starts.size() == 10);
  CHECK(cluster.attempts_used == 1);
}

TEST_CASE("a store of rates that hangs holds up no other job, nor the end of the process") {
  Cluster cluster(kTenPerSecond, 2);
  cluster.rates.hangs = true;
  cluster.sim.start();
  cluster.flood(100);
  cluster.sim.advance(1s);
  cluster.flood(1000, "free");
  cluster.sim.advance(1s);
  CHECK(cluster.free_runs == 1000);
  CHECK(cluster.starts.empty());
  const TimePoint began = cluster.sim.clock().now();
  cluster.sim.shutdown();
  CHECK(cluster.sim.clock().now() - began <= 10s);
}

TEST_CASE("a taken start whose answer was lost is not taken twice") {
  Cluster cluster(kTenPerSecond);
  cluster.sim.start();
  cluster.rates.lose_puts = true;
  cluster.flood(1000);
  cluster.sim.advance(5s);
  CHECK(cluster.starts.empty());
  cluster.rates.lose_puts = false;
  cluster.sim.advance(20s);
  CHECK(cluster.starts.size() <= 200);
  CHECK(cluster.starts.size() >= 140);
  CHECK(cluster.most_within(100ms) == 1);
}

TEST_CASE("a start that no claim used is given back, to whatever process") {
  Cluster cluster({.rate = {.per_second = 0.01}});  // one in 100 s
  cluster.queues[1]->pause();
  cluster.queues[2]->pause();
  cluster.rates.late = 50ms;
  cluster.sim.start();
  // Cancelled between the plan and the claim.
  const Context ctx = testing::context_of(testing::kTenant);
  const NewJob job = cluster.queues[0]->make(ctx, "rated", Bytes());
  const JobId id = block_on(cluster.sim.runtime(), cluster.queues[0]->enqueue(ctx, job)).value().id;
  REQUIRE(cluster.rates.calls == 1);
  REQUIRE(block_on(cluster.sim.runtime(), cluster.queues[0]->cancel(ctx, id)).ok());
  cluster.sim.advance(1s);
  REQUIRE(cluster.starts.empty());
  REQUIRE(cluster.rates.calls > 2);
  cluster.queues[0]->pause();
  cluster.queues[1]->resume();
  cluster.flood(2);
  cluster.sim.advance(1s);
  CHECK(cluster.runs_of[2] == 1);
  cluster.sim.advance(98s);
  CHECK(cluster.starts.size() == 1);
}

TEST_CASE("kinds without a rate never ask the store of rates") {
  Cluster cluster(kTenPerSecond);
  cluster.sim.start();
  cluster.flood(1000, "free");
  cluster.sim.advance(10s);
  CHECK(cluster.free_runs == 1000);
  CHECK(cluster.rates.calls == 0);
}

TEST_CASE("a rate row that is no number, or of another time, does not stop a rate") {
  for (const char* text : {"nonsense", "-5", "9223372036854775807", "99999999999999999999", "7 "}) {
    CAPTURE(text);
    Cluster cluster(kTenPerSecond);
    cluster.rates.foreign = text;
    cluster.sim.start();
    cluster.flood(100);
    cluster.sim.advance(500ms);
    CHECK(cluster.starts.empty());  // each write finds another's
    cluster.rates.foreign.clear();
    cluster.sim.advance(6s);
    CHECK(cluster.starts.size() > 10);
    CHECK(cluster.most_within(100ms) == 1);
  }
}

TEST_CASE("a clock that is set back stops a rate for a minute at most") {
  Cluster cluster(kTenPerSecond);
  cluster.sim.start();
  cluster.flood(100'000);
  cluster.sim.advance(1s);
  const std::size_t before = cluster.starts.size();
  cluster.sim.clock().shift_wall(-1h);
  cluster.sim.advance(61s);
  CHECK(cluster.starts.size() > before);
}

TEST_CASE("the rate of an order key holds over all processes, in order, and uses no attempt") {
  Cluster cluster({.max_attempts = 1, .order_rate = {.per_second = 2}});
  cluster.sim.start();
  std::vector<std::string> in_order;
  for (int i = 0; i < 10; ++i) {
    in_order.push_back(std::to_string(i));
    cluster.enqueue(in_order.back(), "account 17");
  }
  cluster.sim.advance(2s);
  CHECK(cluster.starts.size() == 5);
  cluster.sim.advance(20s);
  CHECK(cluster.inputs == in_order);
  CHECK(cluster.most_within(500ms) == 1);
  CHECK(cluster.runs_of.size() > 1);
}

TEST_CASE("while the store of rates is away jobs with an order rate are put off, not failed") {
  Cluster cluster({.max_attempts = 1, .order_rate = {.per_second = 2}});
  cluster.rates.down = true;
  cluster.sim.start();
  cluster.enqueue("x", std::string(1024, 'k'));
  cluster.enqueue("y", std::string(1023, 'k') + 'l');
  cluster.sim.advance(1min);
  CHECK(cluster.starts.empty());
  CHECK(cluster.log.find("the rate of an order key cannot be read now") != std::string::npos);
  CHECK(cluster.log.find("the input of a job") == std::string::npos);
  cluster.rates.down = false;
  cluster.sim.advance(2min);
  CHECK(cluster.starts.size() == 2);
}
