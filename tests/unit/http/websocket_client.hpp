// A blocking WebSocket client for tests: a handshake, then raw frames. Every wait is bounded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/http/client.hpp"
#include "unit/http/websocket_frames.hpp"

namespace aiserve::http {

inline std::string upgrade_request(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string(fields) + "\r\n";
}

class WebSocketClient {
 public:
  // `first` is sent in one piece with the handshake.
  explicit WebSocketClient(std::uint16_t port, std::string_view path = "/ws",
                           std::string_view fields = "", std::string_view first = "")
      : client_(port) {
    client_.send(upgrade_request(path, fields) + std::string(first));
    handshake = client_.reply(true);
  }

  bool send(std::string_view bytes) { return client_.send(bytes); }
  bool say(std::string_view text) { return send(detail::client_text(text)); }

  // The next frame; nothing when the connection has ended or none comes in time.
  std::optional<detail::ServerFrame> next() {
    for (;;) {
      if (at_ < frames_.size()) return std::move(frames_[at_++]);
      frames_ = detail::take_server_frames(client_.received());
      at_ = 0;
      if (frames_.empty() && !client_.wait_for_more()) return std::nullopt;
    }
  }
  // The payload of the next frame.
  std::string hear() {
    const auto frame = next();
    return frame ? frame->payload : "(nothing)";
  }
  // The code of the next frame if it is a close, else 0.
  int hear_close() {
    const auto frame = next();
    return frame && frame->opcode == detail::Opcode::close ? frame->code() : 0;
  }
  RawClient& raw() { return client_; }

  Reply handshake;

 private:
  RawClient client_;
  std::vector<detail::ServerFrame> frames_;
  std::size_t at_ = 0;
};

}  // namespace aiserve::http
