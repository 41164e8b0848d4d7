#include "aiserve/testing/event_bus_conformance.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace aiserve::inline v0::testing {
namespace {

Error broken(std::string message) { return {Errc::internal, std::move(message)}; }

Async<void> publish(const Context& ctx, EventBus& bus, std::string topic, std::string payload) {
  const Bytes bytes = Bytes::copy(std::string_view(payload));
  co_return co_await bus.publish(ctx, std::move(topic), bytes);
}

/// What comes next must be this.
Async<void> expect(const Context& ctx, Subscription& from, std::string topic, std::string payload) {
  const Result<BusEvent> event = co_await from.next(ctx);
  if (!event) co_return event.error();
  if (event->topic != topic) co_return broken("an event of " + event->topic + " for " + topic);
  if (event->payload.text() != payload) {
    co_return broken("expected " + payload + ", got " + event->payload.to_string());
  }
  co_return success();
}

Async<void> delivers_in_order_to_all(const Context& ctx, EventBus& bus) {
  const std::string topic = "conformance/order";
  Result<Subscription> one = bus.subscribe(topic);
  Result<Subscription> two = bus.subscribe(topic);
  if (!one || !two) co_return broken("subscribe() failed");
  for (int i = 0; i < 100; ++i) {
    if (auto sent = co_await publish(ctx, bus, topic, std::to_string(i)); !sent) co_return sent;
  }
  for (int i = 0; i < 100; ++i) {
    if (auto held = co_await expect(ctx, *one, topic, std::to_string(i)); !held) co_return held;
    if (auto held = co_await expect(ctx, *two, topic, std::to_string(i)); !held) co_return held;
  }
  co_return success();
}

Async<void> keeps_topics_apart(const Context& ctx, EventBus& bus) {
  Result<Subscription> a = bus.subscribe("conformance/a");
  Result<Subscription> ab = bus.subscribe("conformance/a/b");
  if (!a || !ab) co_return broken("subscribe() failed");
  if (auto sent = co_await publish(ctx, bus, "conformance/a/b", "1"); !sent) co_return sent;
  if (auto sent = co_await publish(ctx, bus, "conformance/a", "2"); !sent) co_return sent;
  if (auto sent = co_await publish(ctx, bus, "conformance/A", "3"); !sent) co_return sent;
  if (auto sent = co_await publish(ctx, bus, "conformance/a", "4"); !sent) co_return sent;
  if (auto held = co_await expect(ctx, *a, "conformance/a", "2"); !held) co_return held;
  if (auto held = co_await expect(ctx, *a, "conformance/a", "4"); !held) co_return held;
  co_return co_await expect(ctx, *ab, "conformance/a/b", "1");
}

Async<void> carries_any_bytes(const Context& ctx, EventBus& bus) {
  const std::string topic = "conformance/bytes \xc3\xa9 '\"%";
  std::string payload;
  for (int i = 0; i < 256; ++i) payload += static_cast<char>(i);
  Result<Subscription> subscription = bus.subscribe(topic);
  if (!subscription) co_return subscription.error();
  if (auto sent = co_await publish(ctx, bus, topic, payload); !sent) co_return sent;
  if (auto sent = co_await publish(ctx, bus, topic, ""); !sent) co_return sent;
  if (auto held = co_await expect(ctx, *subscription, topic, payload); !held) co_return held;
  co_return co_await expect(ctx, *subscription, topic, "");
}

Async<void> misses_what_came_before(const Context& ctx, EventBus& bus) {
  const std::string topic = "conformance/late";
  if (auto sent = co_await publish(ctx, bus, topic, "before"); !sent) co_return sent;
  Result<Subscription> subscription = bus.subscribe(topic);
  if (!subscription) co_return subscription.error();
  if (auto sent = co_await publish(ctx, bus, topic, "after"); !sent) co_return sent;
  co_return co_await expect(ctx, *subscription, topic, "after");
}

Async<void> refuses_what_is_no_topic(const Context& ctx, EventBus& bus) {
  for (const std::size_t size : {std::size_t{0}, EventBus::kMaxTopic + 1}) {
    const std::string topic(size, 't');
    const Result<void> sent = co_await publish(ctx, bus, topic, "x");
    if (sent.ok() || sent.error().code() != Errc::invalid_argument) {
      co_return broken("publish() takes a topic of " + std::to_string(size) + " bytes");
    }
    if (bus.subscribe(topic).ok()) co_return broken("subscribe() takes what is no topic");
  }
  const std::string longest(EventBus::kMaxTopic, 't');
  co_return co_await publish(ctx, bus, longest, "x");
}

Async<void> refuses_to_publish_for_a_cancelled_context(const Context& ctx, EventBus& bus) {
  const Context child = ctx.child();
  child.cancel(CancelReason::user);
  const Result<void> sent = co_await publish(child, bus, "conformance/cancelled", "x");
  if (sent.ok()) co_return broken("publish() succeeds for a cancelled Context");
  co_return success();
}

/// Publishes 1 to 5 to a follower with room for three, and waits until all have arrived: a second
/// follower tells.
Async<void> overflow(const Context& ctx, EventBus& bus, const std::string& topic, Overflow policy,
                     std::optional<Subscription>& slow) {
  const SubscribeOptions options{.max_events = 3, .overflow = policy};
  Result<Subscription> made = bus.subscribe(topic, options);
  Result<Subscription> witness = bus.subscribe(topic);
  if (!made || !witness) co_return broken("subscribe() failed");
  slow.emplace(std::move(*made));
  for (int i = 1; i <= 5; ++i) {
    if (auto sent = co_await publish(ctx, bus, topic, std::to_string(i)); !sent) co_return sent;
  }
  for (int i = 1; i <= 5; ++i) {
    if (auto held = co_await expect(ctx, *witness, topic, std::to_string(i)); !held) co_return held;
  }
  co_return success();
}

Async<void> drops_the_oldest(const Context& ctx, EventBus& bus) {
  const std::string topic = "conformance/oldest";
  std::optional<Subscription> slow;
  if (auto full = co_await overflow(ctx, bus, topic, Overflow::drop_oldest, slow); !full) {
    co_return full;
  }
  if (slow->dropped() != 2) co_return broken("two events were to be dropped");
  for (const char* event : {"3", "4", "5"}) {
    if (auto held = co_await expect(ctx, *slow, topic, event); !held) co_return held;
  }
  co_return success();
}

Async<void> drops_the_newest(const Context& ctx, EventBus& bus) {
  const std::string topic = "conformance/newest";
  std::optional<Subscription> slow;
  if (auto full = co_await overflow(ctx, bus, topic, Overflow::drop_newest, slow); !full) {
    co_return full;
  }
  if (slow->dropped() != 2) co_return broken("two events were to be dropped");
  for (const char* event : {"1", "2", "3"}) {
    if (auto held = co_await expect(ctx, *slow, topic, event); !held) co_return held;
  }
  if (auto sent = co_await publish(ctx, bus, topic, "6"); !sent) co_return sent;
  co_return co_await expect(ctx, *slow, topic, "6");
}

Async<void> ends_a_follower_that_falls_behind(const Context& ctx, EventBus& bus) {
  const std::string topic = "conformance/close";
  std::optional<Subscription> slow;
  if (auto full = co_await overflow(ctx, bus, topic, Overflow::close, slow); !full) co_return full;
  for (const char* event : {"1", "2", "3"}) {
    if (auto held = co_await expect(ctx, *slow, topic, event); !held) co_return held;
  }
  const Result<BusEvent> lost = co_await slow->next(ctx);
  if (lost.ok() || lost.error().code() != Errc::data_loss) co_return broken("no data_loss is told");
  co_return success();
}

Async<void> detaches(const Context& ctx, EventBus& bus) {
  const std::string topic = "conformance/detach";
  Result<Subscription> witness = bus.subscribe(topic);
  int calls = 0;
  Result<Attached> attached = bus.attach(topic, [&calls](const BusEvent&) { ++calls; });
  if (!witness || !attached) co_return broken("attach() failed");
  attached->close();
  if (auto sent = co_await publish(ctx, bus, topic, "x"); !sent) co_return sent;
  if (auto held = co_await expect(ctx, *witness, topic, "x"); !held) co_return held;
  if (calls != 0) co_return broken("a sink was called after it was detached");
  witness->close();
  const Result<BusEvent> after = co_await witness->next(ctx);
  if (after.ok() || after.error().code() != Errc::cancelled) {
    co_return broken("a closed subscription is not cancelled");
  }
  co_return success();
}

constexpr std::array<EventBusCase, 10> kCases{{
    {"every follower of a topic gets every event, in order", delivers_in_order_to_all},
    {"topics are exact names, kept apart", keeps_topics_apart},
    {"topics and payloads are any bytes", carries_any_bytes},
    {"what was published before is not delivered", misses_what_came_before},
    {"a topic has 1 to 256 bytes", refuses_what_is_no_topic},
    {"nothing is published for a cancelled Context", refuses_to_publish_for_a_cancelled_context},
    {"a full queue drops the oldest event", drops_the_oldest},
    {"a full queue drops the newest event", drops_the_newest},
    {"a full queue ends the subscription with data_loss", ends_a_follower_that_falls_behind},
    {"what is detached or closed gets nothing any more", detaches},
}};

}  // namespace

std::span<const EventBusCase> event_bus_cases() noexcept { return kCases; }

}  // namespace aiserve::inline v0::testing
