#include "aiserve/core/async.hpp"

#include <doctest/doctest.h>

#include "aiserve/testing/sim_runtime.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

Async<int> later(Context ctx, Duration delay, int value) {
  const Result<void> slept = co_await sleep(ctx, delay);
  if (!slept) co_return slept.error();
  co_return value;
}

Async<int> fails(Context ctx, Duration delay, Errc code) {
  const Result<void> slept = co_await sleep(ctx, delay);
  if (!slept) co_return slept.error();
  co_return Error(code, "failed");
}

/// Runs `operation(ctx)` on a simulated runtime for up to `time`; empty if it has not ended.
template <class T, class F>
std::optional<Result<T>> run_for(testing::SimRuntime& sim, const Context& ctx, Duration time,
                                 const F& operation) {
  const auto slot = std::make_shared<std::optional<Result<T>>>();
  const auto body = [slot, operation](const Context& own) -> Async<void> {
    slot->emplace(co_await operation(own));
    co_return success();
  };
  spawn(sim.runtime(), ctx, body);
  sim.advance(time);
  return *slot;
}

struct Sim : testing::SimRuntime {
  Sim() { start(); }
};

}  // namespace

// What an operation refers to must live until the runtime that may still run it is gone, so tests
// declare it before the Sim.
TEST_CASE("sleep ends when its time has come and not before") {
  Sim sim;
  const auto nap = [](const Context& ctx) { return later(ctx, 50ms, 7); };
  CHECK_FALSE(run_for<int>(sim, Context::background(), 49ms, nap).has_value());
  sim.advance(2ms);
  const auto done = run_for<int>(sim, Context::background(), 51ms, nap);
  REQUIRE(done.has_value());
  CHECK(done->value() == 7);
}

TEST_CASE("sleep ends early with the error of its context") {
  Sim sim;
  const Context ctx{ContextOptions{.deadline = Deadline::after(sim.clock().now(), 10ms)}};
  const auto nap = [](const Context& own) { return later(own, 1h, 7); };
  const auto expired = run_for<int>(sim, ctx, 10ms, nap);
  REQUIRE(expired.has_value());
  CHECK(expired->error().code() == Errc::deadline_exceeded);

  const Context other{ContextOptions{}};
  std::optional<Result<int>> slot;
  const auto body = [&](const Context& own) -> Async<void> {
    slot.emplace(co_await later(own, 1h, 7));
    co_return success();
  };
  spawn(sim.runtime(), other, body);
  sim.run_until_idle();
  CHECK_FALSE(slot.has_value());
  other.cancel(CancelReason::user);
  sim.run_until_idle();
  REQUIRE(slot.has_value());
  CHECK(slot->error().code() == Errc::cancelled);
}

TEST_CASE("all runs its members side by side and gives all values") {
  Sim sim;
  const auto both = [](const Context& ctx) -> Async<int> {
    const auto a = [](const Context& own) { return later(own, 30ms, 1); };
    const auto b = [](const Context& own) { return later(own, 40ms, 2); };
    const auto values = co_await all(ctx, a, b);
    if (!values) co_return values.error();
    co_return std::get<0>(*values) + std::get<1>(*values);
  };
  const auto sum = run_for<int>(sim, Context::background(), 40ms, both);
  REQUIRE(sum.has_value());
  CHECK(sum->value() == 3);
}

TEST_CASE("all cancels the others at the first error, awaits them and returns that error") {
  bool other_ended = false;
  Sim sim;
  const auto both = [&](const Context& ctx) -> Async<int> {
    const auto slow = [&](const Context& own) -> Async<int> {
      const Result<int> value = co_await later(own, 1h, 1);
      other_ended = true;
      co_return value;
    };
    const auto bad = [](const Context& own) { return fails(own, 5ms, Errc::data_loss); };
    const auto values = co_await all(ctx, slow, bad);
    if (!values) co_return values.error();
    co_return 0;
  };
  const auto outcome = run_for<int>(sim, Context::background(), 5ms, both);
  REQUIRE(outcome.has_value());
  CHECK(outcome->error().code() == Errc::data_loss);
  CHECK(other_ended);
}

TEST_CASE("a member of all that throws counts as an error") {
  Sim sim;
  const auto both = [](const Context& ctx) -> Async<int> {
    const auto thrower = [](const Context&) -> Async<int> {
      throw ResultError(Error(Errc::conflict, "busy"));
      co_return 1;
    };
    const auto nap = [](const Context& own) { return later(own, 1h, 1); };
    const auto values = co_await all(ctx, thrower, nap);
    if (!values) co_return values.error();
    co_return 0;
  };
  const auto outcome = run_for<int>(sim, Context::background(), 0ms, both);
  REQUIRE(outcome.has_value());
  CHECK(outcome->error().code() == Errc::conflict);
}

TEST_CASE("first gives the first success, an error does not win") {
  Sim sim;
  const auto race = [](const Context& ctx) -> Async<int> {
    const auto bad = [](const Context& own) { return fails(own, 1ms, Errc::unavailable); };
    const auto good = [](const Context& own) { return later(own, 20ms, 2); };
    const auto slow = [](const Context& own) { return later(own, 1h, 3); };
    co_return co_await first(ctx, bad, good, slow);
  };
  const auto winner = run_for<int>(sim, Context::background(), 20ms, race);
  REQUIRE(winner.has_value());
  CHECK(winner->value() == 2);
}

TEST_CASE("first fails only when all have failed") {
  Sim sim;
  const auto race = [](const Context& ctx) -> Async<int> {
    const auto one = [](const Context& own) { return fails(own, 1ms, Errc::unavailable); };
    const auto two = [](const Context& own) { return fails(own, 2ms, Errc::data_loss); };
    co_return co_await first(ctx, one, two);
  };
  const auto outcome = run_for<int>(sim, Context::background(), 2ms, race);
  REQUIRE(outcome.has_value());
  CHECK(outcome->error().code() == Errc::data_loss);
}

TEST_CASE("with_deadline bounds what it awaits and cancels its context") {
  std::optional<Context> seen;
  Sim sim;
  const auto bounded = [&](const Context& ctx) -> Async<int> {
    const auto nap = [&](const Context& own) {
      seen = own;
      return later(own, 1h, 1);
    };
    co_return co_await with_deadline(ctx, 30ms, nap);
  };
  const auto outcome = run_for<int>(sim, Context::background(), 30ms, bounded);
  REQUIRE(outcome.has_value());
  CHECK(outcome->error().code() == Errc::deadline_exceeded);
  CHECK(seen->reason() == CancelReason::deadline);
}

TEST_CASE("blocking work runs on the pool and its exceptions become errors") {
  Sim sim;
  const auto call = [&](const Context& ctx) -> Async<int> {
    const auto work = [] { return 41 + 1; };
    const Result<int> value = co_await sim.runtime().blocking(ctx, work);
    const auto bad = []() -> Result<int> { throw std::runtime_error("disk"); };
    const Result<int> failed = co_await sim.runtime().cpu(ctx, bad);
    CHECK(failed.error().detail() == "disk");
    co_return value;
  };
  const auto outcome = run_for<int>(sim, Context::background(), 0ms, call);
  REQUIRE(outcome.has_value());
  CHECK(outcome->value() == 42);
}

TEST_CASE("a full pool refuses as overloaded") {
  testing::SimRuntime sim(RuntimeOptions{.pool_queue = 2});
  sim.start();
  int refused = 0, served = 0;
  const auto call = [&](const Context& ctx) -> Async<void> {
    const auto work = [] { return 1; };
    const Result<int> value = co_await sim.runtime().blocking(ctx, work);
    if (value) {
      ++served;
    } else {
      CHECK(value.error().code() == Errc::overloaded);
      CHECK(value.error().retry_after().has_value());
      ++refused;
    }
    co_return success();
  };
  for (int i = 0; i < 5; ++i) spawn(sim.runtime(), Context::background(), call);
  sim.run_until_idle();
  CHECK(served == 2);
  CHECK(refused == 3);
}

TEST_CASE("shutdown ends operations that wait for ever") {
  std::optional<Result<int>> outcome;
  Sim sim;
  const auto body = [&](const Context& own) -> Async<void> {
    outcome.emplace(co_await later(own, 1h * 1000, 7));
    co_return success();
  };
  spawn(sim.runtime(), Context{ContextOptions{}}, body);
  sim.run_until_idle();
  sim.shutdown();
  REQUIRE(outcome.has_value());
  CHECK(outcome->error().code() == Errc::cancelled);
}
