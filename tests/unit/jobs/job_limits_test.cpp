// Who starts when: shares, limits, rates, order, pauses, the door.
#include <algorithm>
#include <array>

#include "aiserve/core/tenant_directory.hpp"
#include "unit/jobs/object_shelf.hpp"
#include "unit/jobs/queue_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::ends;
using testing::QueueBench;
using testing::takes;

namespace {

/// Notes whose jobs start, and how many run at once.
struct Watch {
  JobHandler handler(Duration length) {
    return [this, length](const Context& ctx, const Job& job) -> Async<JobOutcome> {
      const std::string tenant = ctx.tenant().id().value();
      started.push_back(tenant);
      inputs.push_back(job.input().to_string());
      most = std::max(most, ++running);
      most_of[tenant] = std::max(most_of[tenant], ++running_of[tenant]);
      const Result<void> slept = co_await sleep(ctx, length);
      --running;
      --running_of[tenant];
      co_return JobOutcome::from(slept);
    };
  }
  auto starts_of(std::string_view tenant) const {
    return std::count(started.begin(), started.end(), tenant);
  }

  std::vector<std::string> started;
  std::vector<std::string> inputs;
  int running = 0;
  int most = 0;
  std::map<std::string, int> running_of;
  std::map<std::string, int> most_of;
};

void flood(QueueBench& bench, const char* tenant, std::size_t count, const char* kind = "a") {
  const Context ctx = testing::context_of(TenantId(tenant));
  const std::vector<NewJob> jobs(count, bench.jobs.make(ctx, kind, Bytes()));
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.enqueue(ctx, jobs)).ok());
}

}  // namespace

TEST_CASE("a tenant that floods the queue does not hold up another one") {
  Watch watch;
  QueueBench bench({.concurrency = 4});
  bench.jobs.on("a", watch.handler(100ms));
  bench.sim.start();
  flood(bench, "loud", 1000);
  bench.sim.advance(1s);
  flood(bench, "quiet", 5);
  bench.sim.advance(400ms);
  CHECK(watch.starts_of("quiet") == 5);
}

TEST_CASE("slots go to tenants by weight") {
  StaticTenantDirectory tenants({{.id = TenantId("gold"), .weight = 3}},
                                UnknownTenants::admit({.weight = 1}));
  Watch watch;
  QueueBench bench({.concurrency = 4, .tenants = &tenants});
  bench.jobs.on("a", watch.handler(100ms));
  bench.sim.start();
  flood(bench, "free", 1000);
  flood(bench, "gold", 1000);
  bench.sim.advance(20s);
  const auto gold = static_cast<double>(watch.starts_of("gold"));
  const auto free = static_cast<double>(watch.starts_of("free"));
  CHECK(gold / free > 2.7);
  CHECK(gold / free < 3.3);
}

TEST_CASE("tenants are charged what their jobs cost, not how many there are") {
  Watch watch;
  QueueBench bench({.concurrency = 2});
  bench.jobs.on("long", watch.handler(400ms)).on("short", watch.handler(100ms));
  bench.sim.start();
  flood(bench, "long", 1000, "long");
  flood(bench, "short", 1000, "short");
  bench.sim.advance(60s);
  const auto longs = static_cast<double>(watch.starts_of("long"));
  const auto shorts = static_cast<double>(watch.starts_of("short"));
  CHECK(shorts / longs > 3);
  CHECK(shorts / longs < 5);
}

TEST_CASE("kinds and tenants have limits of their own, and what is free goes to others") {
  Watch limited;
  Watch per_tenant;
  QueueBench bench({.concurrency = 10});
  bench.jobs.on("limited", {.max_running = 3}, limited.handler(1s))
      .on("per_tenant", {.max_running_per_tenant = 2}, per_tenant.handler(1s));
  bench.sim.start();
  flood(bench, "one", 20, "limited");
  flood(bench, "one", 20, "per_tenant");
  flood(bench, "two", 20, "limited");
  flood(bench, "two", 20, "per_tenant");
  bench.sim.advance(10s);
  CHECK(limited.most == 3);
  CHECK(per_tenant.most == 4);
  CHECK(per_tenant.most_of["one"] == 2);
  CHECK(limited.started.size() >= 27);
}

TEST_CASE("a limit of a kind counts tenants that have nothing more to run") {
  Watch watch;
  QueueBench bench({.concurrency = 10});
  bench.jobs.on("a", {.max_running = 2}, watch.handler(1h));
  bench.sim.start();
  flood(bench, "one", 1);
  flood(bench, "two", 1);
  bench.sim.advance(2s);
  flood(bench, "three", 5);
  bench.sim.advance(10s);
  CHECK(watch.most == 2);
}

TEST_CASE("starts of a tenant are limited by rate, with a burst") {
  Watch watch;
  QueueBench bench({.concurrency = 10});
  bench.jobs.on("a", {.rate = {.per_second = 2, .burst = 3}}, watch.handler(1ms));
  bench.sim.start();
  flood(bench, "one", 100);
  bench.sim.advance(100ms);
  CHECK(watch.starts_of("one") == 3);
  bench.sim.advance(10s);
  CHECK(watch.starts_of("one") >= 22);
  CHECK(watch.starts_of("one") <= 23);
  flood(bench, "two", 1);
  bench.sim.advance(1ms);
  CHECK(watch.starts_of("two") == 1);
}

TEST_CASE("starts of an order key are limited by rate, in order, and hold up no other key") {
  Watch watch;
  QueueBench bench({.concurrency = 10, .max_attempts = 1});
  bench.jobs.on("a", {.order_rate = {.per_second = 2, .burst = 2}}, watch.handler(1ms));
  bench.sim.start();
  const auto starts_of = [&](char key) {
    return std::count_if(watch.inputs.begin(), watch.inputs.end(),
                         [key](const std::string& input) { return input.front() == key; });
  };
  const auto enqueue = [&](std::string input, std::string key) {
    NewJob job = bench.jobs.make(bench.ctx, "a", Bytes::adopt(std::move(input)));
    job.order_key = std::move(key);
    return bench.enqueue(job);
  };
  std::vector<JobId> of_one;
  std::vector<std::string> in_order;
  for (char i = '0'; i <= '9'; ++i) {
    in_order.push_back(std::string("1") + i);
    of_one.push_back(enqueue(in_order.back(), "one"));
    enqueue(std::string("-") + i, "");
  }
  enqueue("2", "two");
  bench.sim.advance(100ms);
  CHECK(starts_of('1') == 2);
  CHECK(starts_of('2') == 1);
  CHECK(starts_of('-') == 10);
  bench.sim.advance(2s);
  CHECK(starts_of('1') == 6);
  bench.sim.advance(2s);
  std::erase_if(watch.inputs, [](const std::string& input) { return input.front() != '1'; });
  CHECK(watch.inputs == in_order);
  for (const JobId id : of_one) CHECK(bench.state(id) == JobState::completed);
  bench.sim.advance(10s);
  enqueue("1x", "one");
  bench.sim.run_until_idle();
  CHECK(watch.inputs.back() == "1x");
}

TEST_CASE("as many jobs of an order key run at once as its kind says, and begin in order") {
  Watch watch;
  QueueBench bench({.concurrency = 10});
  bench.jobs.on("a", {.order_concurrency = 3}, watch.handler(100ms));
  bench.sim.start();
  std::vector<std::string> in_order;
  for (char i = '0'; i <= '9'; ++i) {
    in_order.emplace_back(1, i);
    NewJob job = bench.jobs.make(bench.ctx, "a", Bytes::copy(in_order.back()));
    CHECK(job.order_concurrency == 3);
    job.order_key = "account";
    bench.enqueue(job);
  }
  bench.sim.advance(50ms);
  CHECK(watch.running == 3);
  bench.sim.advance(10s);
  CHECK(watch.most == 3);
  CHECK(watch.inputs == in_order);
}

TEST_CASE("the rate of an order key holds for all of its jobs that have their turn") {
  Watch watch;
  QueueBench bench({.concurrency = 10, .max_attempts = 1});
  bench.jobs.on("a", {.order_concurrency = 4, .order_rate = {.per_second = 2, .burst = 2}},
                watch.handler(1h));
  bench.sim.start();
  for (const char* input : {"1", "2", "3", "4", "5"}) {
    NewJob job = bench.jobs.make(bench.ctx, "a", Bytes::copy(std::string_view(input)));
    job.order_key = "account";
    bench.enqueue(job);
  }
  bench.sim.advance(100ms);
  CHECK(watch.inputs == std::vector<std::string>{"1", "2"});
  bench.sim.advance(500ms);
  CHECK(watch.inputs == std::vector<std::string>{"1", "2", "3"});
  bench.sim.advance(10s);
  CHECK(watch.inputs == std::vector<std::string>{"1", "2", "3", "4"});
}

TEST_CASE("jobs of one order key run one after the other, in order, through retries") {
  QueueBench bench({.concurrency = 8, .backoff = {.first = 0ms, .longest = 0ms}});
  std::vector<std::string> ended;
  int failures = 0;
  const auto handler = [&](const Context& ctx, const Job& job) -> Async<JobOutcome> {
    const Result<void> slept = co_await sleep(ctx, 10ms);
    if (job.input().text() == "1" && failures++ < 2) {
      co_return Error(Errc::unavailable, "busy");
    }
    ended.push_back(job.input().to_string());
    co_return JobOutcome::from(slept);
  };
  bench.jobs.on("a", handler);
  bench.sim.start();
  for (const char* input : {"1", "2", "3", "4"}) {
    NewJob job = bench.jobs.make(bench.ctx, "a", Bytes::copy(std::string_view(input)));
    job.order_key = "account";
    bench.enqueue(job);
  }
  bench.sim.advance(10s);
  const std::vector<std::string> in_order{"1", "2", "3", "4"};
  CHECK(ended == in_order);
}

TEST_CASE("a unique key finds the job that is there") {
  QueueBench bench;
  int runs = 0;
  bench.jobs.on("a", ends(JobOutcome::done(), &runs));
  bench.sim.start();
  NewJob job = bench.jobs.make(bench.ctx, "a", Bytes());
  job.unique = JobUnique("order 17", JobUniqueScope::retained);
  const JobId id = bench.enqueue(job);
  bench.sim.advance(1s);
  CHECK(bench.enqueue(job) == id);
  bench.sim.advance(1s);
  CHECK(runs == 1);
}

TEST_CASE("a paused kind starts nothing until it is resumed, others go on") {
  QueueBench bench;
  int a = 0;
  int b = 0;
  bench.jobs.on("a", ends(JobOutcome::done(), &a)).on("b", ends(JobOutcome::done(), &b));
  bench.sim.start();
  bench.jobs.pause("a");
  bench.enqueue("a");
  bench.enqueue("b");
  bench.sim.advance(10s);
  CHECK(a == 0);
  CHECK(b == 1);
  bench.jobs.resume("a");
  bench.sim.run_until_idle();
  CHECK(a == 1);
}

TEST_CASE("a queue that is drained has nothing running, and keeps what waits") {
  QueueBench bench({.concurrency = 2});
  bench.jobs.on("slow", takes(1min));
  bench.sim.start();
  for (int i = 0; i < 5; ++i) bench.enqueue("slow");
  bench.sim.run_until_idle();
  bool drained = false;
  spawn(bench.sim.runtime(), bench.ctx, [&](const Context& ctx) -> Async<void> {
    const Result<void> done = co_await bench.jobs.drain(ctx);
    drained = done.ok();
    co_return done;
  });
  bench.sim.advance(59s);
  CHECK_FALSE(drained);
  bench.sim.advance(2s);
  CHECK(drained);
  CHECK(bench.jobs.snapshot().running == 0);
  bench.sim.advance(1min);
  CHECK(bench.jobs.snapshot().running == 0);
  bench.jobs.resume();
  bench.sim.run_until_idle();
  CHECK(bench.jobs.snapshot().running == 2);
}

TEST_CASE("a job that would start too late is refused with the time to come back") {
  QueueBench bench({.concurrency = 1});
  bench.jobs.on("a", takes(1s));
  bench.sim.start();
  for (int i = 0; i < 3; ++i) bench.enqueue("a");
  bench.sim.advance(10s);  // learns what they take
  for (int i = 0; i < 20; ++i) bench.enqueue("a");
  bench.sim.run_until_idle();
  NewJob urgent = bench.jobs.make(bench.ctx, "a", Bytes());
  urgent.start_before = bench.in(5s);
  const Error refused = bench.refused(urgent);
  CHECK(refused.code() == Errc::overloaded);
  REQUIRE(refused.retry_after());
  CHECK(*refused.retry_after() > 10s);
  CHECK(*refused.retry_after() < 20s);
  urgent.start_before = bench.in(1min);
  const JobId id = bench.enqueue(urgent);
  bench.sim.advance(1min);
  CHECK(bench.state(id) == JobState::completed);
}

TEST_CASE("a queue with the most slots claims what a store gives at once") {
  QueueBench bench({.concurrency = 10'000, .max_waiting = 100'000});
  int runs = 0;
  bench.jobs.on("a", ends(JobOutcome::done(), &runs));
  bench.sim.start();
  flood(bench, "one", 25'000);
  bench.sim.advance(10s);
  CHECK(runs == 25'000);
}

TEST_CASE("options of a queue are checked and named") {
  QueueBench bench;
  const auto refuse = [&](JobQueueOptions options, const char* name) {
    try {
      options.name = "q";
      const JobQueue queue(bench.sim.runtime(), bench.store, std::move(options));
      FAIL("accepted: " << name);
    } catch (const ConfigError& error) {
      CHECK(std::string(error.what()).find(name) != std::string::npos);
    }
  };
  refuse({.concurrency = -1}, "concurrency");
  refuse({.max_attempts = 0}, "max_attempts");
  refuse({.max_crashes = 0}, "max_crashes");
  refuse({.lease = 1ms}, "lease");
  refuse({.timeout = 0ms}, "timeout");
  refuse({.backoff = {.first = 2s, .longest = 1s}}, "backoff.longest");
  refuse({.backoff = {.factor = 0.5}}, "backoff.factor");
  refuse({.max_waiting = 0}, "max_waiting");
  refuse({.max_result = 0}, "max_result");
  refuse({.poll = 0ms}, "poll");
  refuse({.local_wait = 0ms}, "local_wait");
  refuse({.offload = {.above = 1023}}, "offload.above");
  refuse({.offload = {.prefix = ""}}, "offload.prefix");
  refuse({.offload = {.orphan_age = 119s}}, "offload.orphan_age");
  refuse({.offload = {.sweep = 9s}}, "offload.sweep");
  testing::SimRuntime sim;
  testing::ObjectShelf shelf(sim.clock());
  refuse({.lease = 30min, .offload = {.objects = &shelf}}, "offload.orphan_age must be at least 2");
  const JobQueue longest(bench.sim.runtime(), bench.store,
                         {.lease = 29min, .offload = {.objects = &shelf}});
  refuse({.codec = {.encode = [](const TenantId&, const Bytes& b) -> Result<Bytes> { return b; }}},
         "codec");
}

TEST_CASE("options of a kind are checked and named") {
  QueueBench bench;
  const auto refuse = [&](std::string kind, JobKindOptions options, const char* name) {
    try {
      bench.jobs.on(std::move(kind), options, ends(JobOutcome::done()));
      FAIL("accepted: " << name);
    } catch (const ConfigError& error) {
      CHECK(std::string(error.what()).find(name) != std::string::npos);
    }
  };
  refuse("", {}, "name");
  refuse("a@2", {}, "@");
  refuse("a", {.version = 0}, "version");
  refuse("a", {.max_attempts = 0}, "max_attempts");
  refuse("a", {.timeout = 0ms}, "timeout");
  refuse("a", {.timeout = 1s, .soft_timeout = 2s}, "soft_timeout");
  refuse("a", {.max_running = 0}, "max_running");
  refuse("a", {.max_running_per_tenant = 0}, "max_running_per_tenant");
  refuse("a", {.order_concurrency = 0}, "order_concurrency");
  refuse("a", {.order_concurrency = 1001}, "order_concurrency");
  refuse("a", {.rate = {.per_second = -1}}, "rate.per_second");
  refuse("a", {.rate = {.per_second = 1, .burst = 0}}, "rate.burst");
  refuse("a", {.order_rate = {.per_second = 0.0009}}, "order_rate.per_second");
  refuse("a", {.order_rate = {.per_second = 1, .burst = 0}}, "order_rate.burst");
  CHECK_THROWS_AS(bench.jobs.on("a", JobHandler()), ConfigError);
}
