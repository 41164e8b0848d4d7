/// SlowClient: what becomes of a client that does not read as fast as it is sent to.
/// *Thread safety:* a value.
///
///     server.websocket("/ticks", ticks, {.slow_client = http::SlowClient::drop_oldest});
#pragma once

#include <cstdint>

namespace aiserve::inline v0::http {

enum class SlowClient : std::uint8_t {
  disconnect,   ///< the connection ends, its Context with slow_client
  drop_oldest,  ///< what has waited longest is dropped, and counted
};

}  // namespace aiserve::inline v0::http
