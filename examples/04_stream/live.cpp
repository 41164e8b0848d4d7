#include "live.hpp"

#include <cmath>
#include <string>

#include "doubler.hpp"
#include "ticker.hpp"

using namespace aiserve;

namespace {

// JSON knows neither infinities nor NaN.
std::string json_of(const Result<float>& number) {
  const bool has_number = number.ok() && std::isfinite(*number);
  return R"({"doubled":)" + (has_number ? std::to_string(*number) : "null") + "}";
}

}  // namespace

Async<void> live(Batcher& batcher, EventBus& bus, const Context& ctx, http::WebSocket& socket) {
  if (Result<void> following = socket.follow(bus, kTicks); !following) co_return following;
  while (Result<http::Message> message = co_await socket.receive()) {
    const Result<float> number = co_await twice(batcher, ctx, message->text());
    if (!socket.send(json_of(number))) break;
  }
  co_return success();
}
