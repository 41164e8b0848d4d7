/// WebSocketOptions: what a WebSocket route allows, and how long it waits.
///
/// Checked by Server::websocket(). *Thread safety:* a value. *Errors:* ConfigError from wiring that
/// names the option.
///
///     server.websocket("/v1/live", live, {.max_message = 64 * 1024,
///                                         .subprotocols = {"ticks.v1"},
///                                         .origins = {"https://app.example"}});
#pragma once

#include <aiserve/http/slow_client.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace aiserve::inline v0::http {

class WebSocket;

/// Compression of single messages: permessage-deflate (RFC 7692). Off by default: it costs the I/O
/// thread some 10 us for a message of 1 KiB, and the messages of most services are small.
struct DeflateOptions {
  bool enabled = false;
  /// 1 (fast) to 9 (small).
  int level = 4;
  /// Messages of fewer bytes are sent as they are, at least 1.
  std::size_t min_size = 512;
  /// So are larger ones, for they would hold up the I/O thread.
  std::size_t max_size = 256 * 1024;
  /// Messages may refer to earlier ones: small similar messages become much smaller, and every
  /// connection holds up to 300 KiB for it. Without it compressors are shared.
  bool context_takeover = false;
  /// Of the compressor, as a power of two: 9 to 15. Smaller saves memory with context_takeover.
  int window_bits = 15;
};

struct WebSocketOptions {
  /// Bytes of a message over all its fragments and after inflating, at least 1: beyond it the
  /// connection ends with 1009.
  std::size_t max_message = 1024 * 1024;
  /// Bytes that may wait to be sent, at least 1024. What happens then: slow_client for send(),
  /// while write() waits.
  std::size_t max_queue = 1024 * 1024;
  SlowClient slow_client = SlowClient::disconnect;
  /// Bytes of messages that nobody has received yet, at least 1; beyond it the peer is not read
  /// from. One message may always wait.
  std::size_t max_unread = 256 * 1024;

  /// First byte of a message to its last, over all fragments: beyond it the connection ends with
  /// 1008. Raise it with max_message for slow uplinks.
  std::chrono::milliseconds message_timeout{60'000};
  /// A ping after this long without a sign of life from the peer.
  std::chrono::milliseconds ping_interval{20'000};
  /// The connection ends after this long without one; above ping_interval.
  std::chrono::milliseconds idle_timeout{60'000};
  /// Wait this long for the peer's answer to our close.
  std::chrono::milliseconds close_timeout{5'000};

  /// Known subprotocols, the preferred one first. The first that the client offers is agreed on;
  /// without one in common the handshake goes on without: see WebSocket::subprotocol().
  std::vector<std::string> subprotocols{};
  /// Origins that browsers may connect from ("https://app.example"), "*" for all: others get 403.
  /// Empty: from this host only. Clients that send no Origin are none of the browsers' business.
  std::vector<std::string> origins{};
  DeflateOptions deflate{};

  /// Called when the connection has become a WebSocket, before its first message.
  std::function<void(WebSocket&)> on_open{};
  /// Called once, when it has ended: WebSocket::closed() says how.
  std::function<void(WebSocket&)> on_close{};
};

}  // namespace aiserve::inline v0::http
