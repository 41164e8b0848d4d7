#include "ticker.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

std::string json_of(const BatcherSnapshot& now) {
  const auto wait = std::chrono::round<std::chrono::microseconds>(now.predicted_wait);
  return R"({"queued":)" + std::to_string(now.queued) + R"(,"computed":)" +
         std::to_string(now.computed) + R"(,"batches":)" + std::to_string(now.batches) +
         R"(,"predicted_wait_us":)" + std::to_string(wait.count()) + "}";
}

}  // namespace

Ticker::Ticker(Runtime& runtime, Batcher& batcher, http::EventChannel& ticks, MemoryEventBus& bus)
    : batcher_(batcher), ticks_(ticks), bus_(bus) {
  const auto begin = [this, &runtime] {
    spawn(runtime, life_, [this](const Context& ctx) { return run(ctx); });
  };
  const auto end = [this] { life_.cancel(CancelReason::shutdown); };
  attachment_ = runtime.attach({.name = "ticker", .start = begin, .stop_accepting = end});
}

Async<void> Ticker::run(const Context& ctx) {
  do {
    const std::string data = json_of(batcher_.snapshot());
    (void)ticks_.send({.event = "tick", .data = data});
    (void)bus_.publish_now(kTicks, Bytes::copy(data));
  } while (co_await sleep(ctx, 250ms));
  co_return success();
}
