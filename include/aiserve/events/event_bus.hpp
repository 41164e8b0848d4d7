/// EventBus: the port that carries events from whoever publishes them to whoever follows a topic,
/// in this process or, with an adapter, in others.
///
/// Delivery is at most once and in the order of one publisher; nobody is waited for: a follower
/// that falls behind loses events, or its subscription, as it has chosen. Topics are exact names of
/// 1 to 256 bytes ("jobs/7"); put the tenant into the name where tenants must not see each other.
/// An adapter implements publish() and attach() and runs the conformance suite
/// (testing/event_bus_suite.hpp). *Thread safety:* any thread.
/// *Errors:* invalid_argument for a topic, too_large for a payload, unavailable when closed.
///
///     MemoryEventBus bus;
///     Subscription ticks = bus.subscribe("ticks", {.overflow = Overflow::drop_oldest}).value();
///     Result<void> sent = co_await bus.publish(ctx, "ticks", Bytes::copy("{}"));
///     Result<BusEvent> event = co_await ticks.next(ctx);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/core/context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0 {

struct BusEvent {
  std::string topic;
  Bytes payload;
};

/// What becomes of an event that finds the queue of its subscription full.
enum class Overflow : std::uint8_t {
  drop_oldest,  ///< the oldest event that waits goes: the follower sees the newest state
  drop_newest,  ///< the new event goes: the follower sees a beginning without gaps
  close,        ///< the subscription ends with data_loss: the follower must start over
};

struct SubscribeOptions {
  /// Events that may wait, at least 1.
  std::size_t max_events = 1024;
  /// Their payloads in bytes, at least 1. One event may always wait.
  std::size_t max_bytes = 1024 * 1024;
  Overflow overflow = Overflow::close;
};

/// Keeps a sink attached; movable. After its destructor, or close(), the sink is neither running on
/// another thread nor will it run. Destroying it inside the sink itself is allowed.
class Attached {
 public:
  Attached() noexcept = default;
  explicit Attached(std::function<void()> detach) noexcept : detach_(std::move(detach)) {}
  Attached(Attached&& other) noexcept : detach_(std::exchange(other.detach_, nullptr)) {}
  Attached& operator=(Attached&& other) noexcept {
    std::swap(detach_, other.detach_);
    return *this;
  }
  ~Attached() { close(); }
  explicit operator bool() const noexcept { return static_cast<bool>(detach_); }
  void close() noexcept {
    if (detach_) std::exchange(detach_, nullptr)();
  }

 private:
  std::function<void()> detach_;
};

namespace detail {
class Mailbox;
}

/// A bounded queue that follows one topic. One next() at a time.
class Subscription {
 public:
  Subscription() noexcept = default;
  Subscription(Attached attached, std::shared_ptr<detail::Mailbox> mailbox) noexcept;

  /// The next event. cancelled once closed, data_loss after an overflow with Overflow::close, the
  /// error of `ctx` when that ends first. Only on an I/O thread of a Runtime.
  Async<BusEvent> next(const Context& ctx);
  /// Events dropped so far.
  std::uint64_t dropped() const noexcept;
  /// No more events; what waits can still be taken.
  void close() noexcept;

 private:
  std::shared_ptr<detail::Mailbox> mailbox_;
  Attached attached_;
};

class EventBus {
 public:
  /// Called for every event, on the publisher's thread or the adapter's: must not block, throw or
  /// publish.
  using Sink = std::function<void(const BusEvent&)>;

  static constexpr std::size_t kMaxTopic = 256;

  EventBus() = default;
  EventBus(const EventBus&) = delete;
  EventBus& operator=(const EventBus&) = delete;
  virtual ~EventBus() = default;

  /// Succeeds when the event is handed over, whether anybody follows or not.
  virtual Async<void> publish(const Context& ctx, std::string topic, Bytes payload) = 0;
  /// Takes effect before it returns: no event published later is missed.
  virtual Result<Attached> attach(std::string_view topic, Sink sink) = 0;

  /// attach() with a bounded queue between.
  Result<Subscription> subscribe(std::string_view topic, const SubscribeOptions& options = {});

 protected:
  /// invalid_argument if it is no topic.
  static Result<void> check_topic(std::string_view topic);
};

}  // namespace aiserve::inline v0
