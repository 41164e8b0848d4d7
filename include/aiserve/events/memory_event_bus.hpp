/// MemoryEventBus: the EventBus within one process.
///
/// publish() calls every sink of the topic before it returns, so an event is in every queue by
/// then. Sinks of one follower never run at the same time. What was attached may outlive the bus.
/// *Thread safety:* any thread. *Errors:* those of EventBus, but unavailable.
///
///     MemoryEventBus bus;
///     server.websocket("/live", [&](const Context&, http::WebSocket& socket) -> Async<void> {
///       if (Result<void> on = socket.follow(bus, "ticks"); !on) co_return on.error();
///       while (co_await socket.receive()) {
///       }
///       co_return success();
///     });
#pragma once

#include <aiserve/events/event_bus.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace aiserve::inline v0 {

class MemoryEventBus final : public EventBus {
 public:
  MemoryEventBus();
  ~MemoryEventBus() override;

  Async<void> publish(const Context& ctx, std::string topic, Bytes payload) override;
  /// The same from any thread, at once.
  Result<void> publish_now(std::string_view topic, Bytes payload);
  Result<Attached> attach(std::string_view topic, Sink sink) override;
  /// Sinks attached to a topic.
  std::size_t followers(std::string_view topic) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace aiserve::inline v0
