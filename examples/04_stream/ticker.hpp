// Ticker: tells what a batcher does, four times a second: to all clients of an event channel, and
// on an event bus.
#pragma once

#include <aiserve/core/runtime.hpp>
#include <aiserve/events/memory_event_bus.hpp>
#include <aiserve/http/event_channel.hpp>
#include <aiserve/serving/batcher.hpp>

// Of the bus.
inline constexpr const char* kTicks = "ticks";

class Ticker {
 public:
  Ticker(aiserve::Runtime& runtime, aiserve::Batcher& batcher, aiserve::http::EventChannel& ticks,
         aiserve::MemoryEventBus& bus);

 private:
  aiserve::Async<void> run(const aiserve::Context& ctx);

  aiserve::Batcher& batcher_;
  aiserve::http::EventChannel& ticks_;
  aiserve::MemoryEventBus& bus_;
  aiserve::Context life_{aiserve::ContextOptions{}};
  aiserve::Attachment attachment_;
};
