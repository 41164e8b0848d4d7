// What becomes of the callers of one key, and of the loader they share.
#include <doctest/doctest.h>

#include "unit/cache/memo_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::MemoBench;

TEST_CASE("callers of one key share one load, callers of another don't") {
  MemoBench bench;
  bench.oven.takes = 100ms;
  for (int i = 0; i < 10'000; ++i) bench.call(std::to_string(i), bench.context());
  bench.call("rye", bench.context(), "rye");
  CHECK(bench.oven.begun == 2);
  bench.sim.advance(100ms);
  for (int i = 0; i < 10'000; ++i) REQUIRE(bench.text(std::to_string(i)) == "cake");
  CHECK(bench.text("rye") == "cake");
  CHECK(bench.oven.begun == 2);
}

TEST_CASE("an error goes to all who wait, and the key is free again") {
  MemoBench bench;
  bench.oven.takes = 10ms;
  bench.oven.error = Error(Errc::unavailable, "out of gas");
  bench.call("a", bench.context());
  bench.call("b", bench.context());
  bench.sim.advance(10ms);
  CHECK(bench.text("a") == "unavailable");
  CHECK(bench.text("b") == "unavailable");
  CHECK(bench.outcomes["b"].error().message() == "out of gas");
  bench.oven.error.reset();
  CHECK(bench.get().value() == "cake");
}

TEST_CASE("an exception in the loader is an internal error for all, and frees the key") {
  MemoBench bench;
  bench.oven.takes = 10ms;
  bench.oven.throws = true;
  bench.call("a", bench.context());
  bench.call("b", bench.context());
  bench.sim.advance(10ms);
  CHECK(bench.text("a") == "internal");
  CHECK(bench.text("b") == "internal");
  CHECK(bench.outcomes["a"].error().message().find("burnt") == std::string::npos);
  bench.oven.throws = false;
  CHECK(bench.get().value() == "cake");
}

TEST_CASE("a loader that throws before its first await frees the key as well") {
  testing::SimRuntime sim;
  Cache cache(sim.runtime());
  int calls = 0;
  auto memo = cache.memoize<std::string>(
      "x", [&](const Context&, const std::string& input) -> Async<std::string> {
        if (++calls == 1) throw std::runtime_error("no coroutine yet");
        return [](std::string text) -> Async<std::string> { co_return text; }(input);
      });
  sim.start();
  const std::string input = "in";
  const Context& ctx = Context::background();
  CHECK(block_on(sim.runtime(), memo(ctx, input)).error().code() == Errc::internal);
  CHECK(block_on(sim.runtime(), memo(ctx, input)).value() == "in");
}

TEST_CASE("who began a load may leave it: the others get the result") {
  MemoBench bench;
  bench.oven.takes = 100ms;
  const Context leader = bench.context();
  bench.call("leader", leader);
  bench.call("other", bench.context());
  leader.cancel(CancelReason::client_gone);
  bench.sim.run_until_idle();
  CHECK(bench.text("leader") == "cancelled");
  CHECK(bench.text("other") == "waits");
  bench.sim.advance(100ms);
  CHECK(bench.text("other") == "cake");
  CHECK(bench.oven.cancelled_by.empty());
  CHECK(bench.oven.begun == 1);
}

TEST_CASE("each caller waits until its own deadline, the load until the latest") {
  MemoBench bench;
  bench.oven.takes = 100ms;
  bench.call("patient", bench.context("acme", 200ms));
  bench.call("hasty", bench.context("acme", 10ms));
  bench.sim.advance(10ms);
  CHECK(bench.text("hasty") == "deadline_exceeded");
  CHECK(bench.text("patient") == "waits");
  bench.sim.advance(90ms);
  CHECK(bench.text("patient") == "cake");
}

TEST_CASE("the loader sees the deadline move when a more patient caller joins") {
  testing::SimRuntime sim;
  Cache cache(sim.runtime());
  std::optional<Context> flight;
  auto memo = cache.memoize<std::string>(
      "x", [&](const Context& ctx, const std::string& input) -> Async<std::string> {
        flight = ctx;
        const Result<void> slept = co_await sleep(Context::background(), 50ms);
        if (!slept) co_return slept.error();
        co_return input;
      });
  sim.start();
  const auto ask = [&](const Context& ctx) -> Async<void> {
    const std::string input = "in";
    const Result<std::string> got = co_await memo(ctx, input);
    co_return got ? success() : Result<void>(got.error());
  };
  const auto within = [&](Duration patience) {
    ContextOptions options;
    options.deadline = Deadline::after(sim.clock().now(), patience);
    return Context(std::move(options));
  };
  const Deadline early = within(1s).deadline();
  const Deadline late = within(9s).deadline();
  spawn(sim.runtime(), within(1s), ask);
  sim.run_until_idle();
  CHECK(flight->deadline() == early);
  spawn(sim.runtime(), within(9s), ask);
  sim.run_until_idle();
  CHECK(flight->deadline() == late);
  spawn(sim.runtime(), within(5s), ask);
  sim.run_until_idle();
  CHECK(flight->deadline() == late);
  sim.advance(50ms);
}

TEST_CASE("a load that gave up at the deadline of those who left runs again for those who stay") {
  MemoBench bench;
  bench.oven.takes = 100ms;
  bench.call("hasty", bench.context("acme", 50ms));
  bench.sim.advance(40ms);
  bench.call("patient", bench.context("acme", 500ms));
  // What the loader awaits took the early deadline when it began.
  bench.sim.advance(10ms);
  CHECK(bench.text("hasty") == "deadline_exceeded");
  CHECK(bench.oven.begun == 2);
  bench.sim.advance(100ms);
  CHECK(bench.text("patient") == "cake");
}

TEST_CASE("the last to leave cancels the load, and the next caller begins a new one") {
  MemoBench bench;
  bench.oven.takes = 100ms;
  const Context a = bench.context();
  const Context b = bench.context();
  bench.call("a", a);
  bench.call("b", b);
  a.cancel(CancelReason::client_gone);
  bench.sim.run_until_idle();
  CHECK(bench.oven.cancelled_by.empty());
  b.cancel(CancelReason::client_gone);
  bench.sim.run_until_idle();
  REQUIRE(bench.oven.cancelled_by.size() == 1);
  CHECK(bench.oven.cancelled_by[0] == CancelReason::user);
  CHECK(bench.get().value() == "cake");
  CHECK(bench.oven.begun == 2);
}

TEST_CASE("a loader that hangs past every deadline holds nobody, and its key is free") {
  MemoBench bench;
  bench.oven.takes = 1h;
  bench.oven.deaf = true;
  bench.call("a", bench.context("acme", 50ms));
  bench.call("b", bench.context("acme", 60ms));
  bench.sim.advance(60ms);
  CHECK(bench.text("a") == "deadline_exceeded");
  CHECK(bench.text("b") == "deadline_exceeded");
  bench.oven.takes = 10ms;
  CHECK(bench.get().value() == "cake");
}

TEST_CASE("loads that hang count against the limit until they end") {
  MemoBench bench(MemoBench::exact({.max_loads = 2}));
  bench.oven.takes = 1s;
  bench.oven.deaf = true;
  bench.call("a", bench.context("acme", 50ms), "1");
  bench.call("b", bench.context("acme", 50ms), "2");
  bench.sim.advance(50ms);
  bench.call("c", bench.context(), "3");
  CHECK(bench.text("c") == "overloaded");
  CHECK(bench.outcomes["c"].error().retry_after().has_value());
  bench.sim.advance(1s);
  CHECK(bench.get("3").value() == "cake");
  CHECK_MESSAGE(bench.memo.find(bench.context(), "1") == "cake", "late, but computed");
}

TEST_CASE("no more callers wait for a key than may") {
  MemoBench bench(MemoBench::exact({.max_waiters = 2}));
  bench.oven.takes = 10ms;
  for (const char* name : {"a", "b", "c"}) bench.call(name, bench.context());
  CHECK(bench.text("c") == "overloaded");
  bench.sim.advance(10ms);
  CHECK(bench.text("a") == "cake");
  CHECK(bench.text("b") == "cake");
}

TEST_CASE("a caller that is cancelled or late before it begins computes nothing") {
  MemoBench bench;
  const Context gone = bench.context();
  gone.cancel(CancelReason::client_gone);
  bench.call("gone", gone);
  bench.call("late", bench.context("acme", 0ms));
  CHECK(bench.text("gone") == "cancelled");
  CHECK(bench.text("late") == "deadline_exceeded");
  CHECK(bench.oven.begun == 0);
}

TEST_CASE("a result that was invalidated while it was computed is not kept, nor joined") {
  const auto invalidations = std::vector<std::function<void(MemoBench&)>>{
      [](MemoBench& bench) { bench.memo.invalidate(); },
      [](MemoBench& bench) { bench.memo.erase(TenantId("acme"), "flour"); },
      [](MemoBench& bench) { bench.cache.invalidate_tenant(TenantId("acme")); },
      [](MemoBench& bench) { bench.cache.remove_tenant(TenantId("acme")); },
      [](MemoBench& bench) { bench.cache.invalidate_tag(TenantId("acme"), "bread"); },
      [](MemoBench& bench) { bench.cache.invalidate_version("bakery/oven", ""); },
      [](MemoBench& bench) { bench.cache.invalidate_all(); }};
  for (const auto& invalidate : invalidations) {
    MemoBench bench;
    bench.memo.tag_with([](const std::string&) { return std::vector<std::string>{"bread"}; });
    bench.oven.takes = 100ms;
    bench.oven.result = "old";
    bench.call("before", bench.context());
    bench.sim.advance(50ms);
    invalidate(bench);
    bench.call("after", bench.context());
    CHECK(bench.oven.begun == 2);
    bench.sim.advance(50ms);
    CHECK(bench.text("before") == "old");
    CHECK(bench.text("after") == "waits");
    CHECK_FALSE(bench.memo.find(bench.context(), "flour").has_value());
    bench.oven.result = "new";
    bench.sim.advance(50ms);
    CHECK(bench.text("after") == "new");
    CHECK(bench.memo.find(bench.context(), "flour") == "new");
  }
}

TEST_CASE("an invalidation of something else lets callers join as before") {
  MemoBench bench;
  bench.oven.takes = 100ms;
  bench.call("a", bench.context());
  bench.cache.invalidate_tenant(TenantId("globex"));
  bench.cache.invalidate_namespace("kitchen");
  bench.call("b", bench.context());
  CHECK(bench.oven.begun == 1);
  bench.sim.advance(100ms);
  CHECK(bench.memo.find(bench.context(), "flour") == "cake");
}

TEST_CASE(
    "a refresh is joined by who cannot use what is stale, and not cancelled by their leaving") {
  MemoBench bench(MemoBench::exact({.ttl = 20s, .soft_ttl = 10s}));
  REQUIRE(bench.get().ok());
  bench.sim.advance(10s);
  bench.oven.takes = 50ms;
  bench.oven.result = "new";
  bench.call("stale", bench.context());
  const Context strict = bench.context();
  bench.call("strict", strict, "flour", {.max_age = 1s});
  CHECK(bench.oven.begun == 2);
  strict.cancel(CancelReason::client_gone);
  bench.sim.advance(50ms);
  CHECK(bench.text("strict") == "cancelled");
  CHECK(bench.memo.find(bench.context(), "flour") == "new");
}

TEST_CASE("a shutdown cancels loads that go on, and their callers are told") {
  MemoBench bench;
  bench.oven.takes = 1h;
  bench.call("a", bench.context());
  bench.sim.shutdown();
  CHECK(bench.text("a") == "cancelled");
  REQUIRE(bench.oven.cancelled_by.size() == 1);
  CHECK(bench.oven.cancelled_by[0] == CancelReason::shutdown);
  CHECK(bench.log.find("1 loads of bakery/oven") != std::string::npos);
}

TEST_CASE("a loader that ignores the shutdown is destroyed with those who wait for it") {
  MemoBench bench;
  bench.oven.takes = 1h;
  bench.oven.deaf = true;
  bench.call("a", bench.context());
  bench.call("b", bench.context());
  bench.sim.shutdown();
  CHECK(bench.oven.ended == 0);
}

TEST_CASE("callers are cancelled at every moment of a load without harm to the others") {
  for (Duration when = 0ms; when <= 40ms; when += 5ms) {
    for (int who = 0; who < 3; ++who) {
      MemoBench bench;
      bench.oven.takes = 20ms;
      std::vector<Context> contexts;
      for (int i = 0; i < 3; ++i) {
        contexts.push_back(bench.context());
        bench.call(std::to_string(i), contexts.back());
        bench.sim.advance(5ms);
      }
      bench.sim.advance(when > 15ms ? when - 15ms : 0ms);
      contexts[static_cast<std::size_t>(who)].cancel(CancelReason::client_gone);
      bench.sim.advance(50ms);
      for (int i = 0; i < 3; ++i) {
        const std::string text = bench.text(std::to_string(i));
        CHECK((text == "cake" || (i == who && text == "cancelled")));
      }
      CHECK(bench.oven.begun == 1);
    }
  }
}
