// Ticker: sends what a batcher does to all clients of an event channel, four times a second.
#pragma once

#include <aiserve/core/runtime.hpp>
#include <aiserve/http/event_channel.hpp>
#include <aiserve/serving/batcher.hpp>

class Ticker {
 public:
  Ticker(aiserve::Runtime& runtime, aiserve::Batcher& batcher, aiserve::http::EventChannel& ticks);

 private:
  aiserve::Async<void> run(const aiserve::Context& ctx);

  aiserve::Batcher& batcher_;
  aiserve::http::EventChannel& ticks_;
  aiserve::Context life_{aiserve::ContextOptions{}};
  aiserve::Attachment attachment_;
};
