#include "aiserve/events/memory_event_bus.hpp"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/testing/event_bus_conformance.hpp"
#include "aiserve/testing/sim_runtime.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

struct Bench {
  Bench() { sim.start(); }

  void publish(std::string_view topic, std::string_view payload) {
    CHECK(bus.publish_now(topic, Bytes::copy(payload)).ok());
  }
  Result<BusEvent> next(Subscription& subscription) {
    return block_on(sim.runtime(), subscription.next(Context::background()));
  }

  testing::SimRuntime sim;
  MemoryEventBus bus;
};

TEST_CASE("the bus in memory is an EventBus") {
  Bench bench;
  for (const testing::EventBusCase& one : testing::event_bus_cases()) {
    const Result<void> held =
        block_on(bench.sim.runtime(), one.run(Context::background(), bench.bus));
    CHECK_MESSAGE(held.ok(), one.name << ": " << (held.ok() ? "" : held.error().message()));
  }
}

TEST_CASE("a follower that waits is woken by an event, a close and its Context") {
  Bench bench;
  Subscription subscription = bench.bus.subscribe("t").value();
  std::vector<std::string> got;
  const Context ctx =
      Context::background().with_deadline(Deadline::after(bench.sim.clock().now(), 10s));
  const auto follow = [&](const Context&) -> Async<void> {
    for (;;) {
      Result<BusEvent> event = co_await subscription.next(ctx);
      got.push_back(event ? event->payload.to_string()
                          : std::string(traits(event.error().code()).label));
      if (!event) co_return success();
    }
  };
  spawn(bench.sim.runtime(), ctx, follow);
  bench.sim.run_until_idle();
  CHECK(got.empty());
  bench.publish("t", "one");
  bench.sim.run_until_idle();
  CHECK(got == std::vector<std::string>{"one"});
  SUBCASE("by its deadline") {
    bench.sim.advance(11s);
    CHECK(got == std::vector<std::string>{"one", "deadline_exceeded"});
  }
  SUBCASE("by close()") {
    subscription.close();
    bench.sim.run_until_idle();
    CHECK(got == std::vector<std::string>{"one", "cancelled"});
  }
}

TEST_CASE("one wait at a time") {
  Bench bench;
  Subscription subscription = bench.bus.subscribe("t").value();
  std::optional<Errc> second;
  const auto wait = [&](const Context& ctx) -> Async<void> {
    const Result<BusEvent> event = co_await subscription.next(ctx);
    if (!event) second = event.error().code();
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), wait);
  spawn(bench.sim.runtime(), Context::background(), wait);
  bench.sim.run_until_idle();
  CHECK(second == Errc::conflict);
  bench.publish("t", "x");
  bench.sim.run_until_idle();
}

TEST_CASE("a queue is bounded in bytes too, but one event always fits") {
  Bench bench;
  const SubscribeOptions options{.max_bytes = 10, .overflow = Overflow::drop_newest};
  Subscription subscription = bench.bus.subscribe("t", options).value();
  bench.publish("t", std::string(100, 'a'));
  bench.publish("t", "b");
  CHECK(subscription.dropped() == 1);
  CHECK(bench.next(subscription).value().payload.size() == 100);
  bench.publish("t", std::string(6, 'c'));
  bench.publish("t", std::string(4, 'd'));
  bench.publish("t", "e");
  CHECK(subscription.dropped() == 2);
  CHECK(bench.next(subscription).value().payload.text() == "cccccc");
  CHECK(bench.next(subscription).value().payload.text() == "dddd");
}

TEST_CASE("a subscription without room is refused") {
  MemoryEventBus bus;
  CHECK(bus.subscribe("t", {.max_events = 0}).error().code() == Errc::invalid_argument);
  CHECK(bus.subscribe("t", {.max_bytes = 0}).error().code() == Errc::invalid_argument);
}

TEST_CASE("a topic nobody follows any more leaves nothing behind") {
  MemoryEventBus bus;
  {
    const Subscription one = bus.subscribe("t").value();
    const Subscription two = bus.subscribe("t").value();
    CHECK(bus.followers("t") == 2);
  }
  CHECK(bus.followers("t") == 0);
}

TEST_CASE("a sink may detach itself, and outlive the bus in its Attached") {
  Attached attached;
  int calls = 0;
  {
    MemoryEventBus bus;
    attached = bus.attach("t",
                          [&](const BusEvent&) {
                            ++calls;
                            attached.close();
                          })
                   .value();
    CHECK(bus.publish_now("t", Bytes()).ok());
    CHECK(bus.publish_now("t", Bytes()).ok());
    CHECK(calls == 1);
    attached = bus.attach("t", [&](const BusEvent&) { ++calls; }).value();
  }
  attached.close();
  CHECK_FALSE(attached);
}

TEST_CASE("a Subscription that was moved from has nothing") {
  Bench bench;
  Subscription from = bench.bus.subscribe("t").value();
  Subscription to = std::move(from);
  bench.publish("t", "x");
  CHECK(bench.next(to).value().payload.text() == "x");
  Subscription none;
  CHECK(bench.next(none).error().code() == Errc::cancelled);
}

}  // namespace
