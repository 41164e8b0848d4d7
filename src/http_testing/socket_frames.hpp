// The frames of WebSocket (RFC 6455 section 5.2) as a client sends and receives them, for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0::http::detail {

struct SocketFrame {
  unsigned char opcode = 0;
  bool last = true;
  std::string payload{};
};

// Masked, as it must be.
std::string client_frame(unsigned char opcode, std::string_view payload);

// The whole frame at the front of what a server has sent, which is removed; nothing if it is not
// all there.
std::optional<SocketFrame> take_frame(std::string& received);

}  // namespace aiserve::inline v0::http::detail
