// A WebSocketConnection without a socket, with a hand-fed clock. Without a callback of its own it
// echoes; with `receive` its messages wait for receive().
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request_state.hpp"
#include "http/websocket_connection.hpp"
#include "unit/http/websocket_frames.hpp"

namespace aiserve::http::detail {

class WebSocketFixture {
 public:
  explicit WebSocketFixture(WebSocketOptions given = {}, bool receive = false,
                            std::optional<DeflateAgreement> deflate = {})
      : options(std::move(given)) {
    on_message = [](WebSocket& socket, const MessageView& message) { (void)socket.send(message); };
    WebSocketSetup setup{.options = options,
                         .on_message = receive ? nullptr : &on_message,
                         .resources = resources,
                         .metrics = metrics,
                         .request = request,
                         .context = context,
                         .deflate = std::move(deflate),
                         .wake = [this] { ++wakes; },
                         .failed = [this](const Error& error) { failures.push_back(error); },
                         .over = [this] { ++ends; }};
    connection = std::make_shared<WebSocketConnection>(std::move(setup), now);
  }

  void feed(std::string_view bytes, std::size_t slice = static_cast<std::size_t>(-1)) {
    while (!bytes.empty()) {
      const std::string piece(bytes.substr(0, slice));  // a view kept too long is found
      connection->feed(piece, now);
      bytes.remove_prefix(piece.size());
    }
  }
  // Takes up to `at_most` bytes of the output, as a peer that reads would.
  void read(std::size_t at_most = static_cast<std::size_t>(-1)) {
    std::array<iovec, 4> pieces;
    while (connection->wants_write() && at_most != 0) {
      const std::size_t used = connection->gather(pieces);
      std::size_t n = 0;
      for (std::size_t i = 0; i < used && n < at_most; ++i) {
        const std::size_t size = std::min(pieces[i].iov_len, at_most - n);
        received.append(static_cast<const char*>(pieces[i].iov_base), size);
        n += size;
      }
      at_most -= n;
      connection->sent(n, now);
    }
  }
  // All frames that are there to be read.
  std::vector<ServerFrame> frames() {
    read();
    return take_server_frames(received);
  }
  std::vector<std::string> texts() {
    std::vector<std::string> found;
    for (ServerFrame& frame : frames()) found.push_back(std::move(frame.payload));
    return found;
  }
  void pass(Duration time) {
    now += time;
    connection->tick(now);
  }
  // As the Connection ends it when its phase has changed.
  void end() { connection->ended(CancelReason::none); }
  bool closed() const { return connection->phase() == Phase::closed; }
  WebSocket& socket() { return connection->handle(); }
  WebSocketSender sender() { return socket().sender(); }

  WebSocketOptions options;
  MessageHandler on_message;
  RequestState state;
  Request request{state};
  Context context{ContextOptions{}};
  Metrics registry;
  WebSocketMetrics metrics{registry, "test"};
  WebSocketResources resources;
  TimePoint now{};
  int wakes = 0;
  int ends = 0;
  std::vector<Error> failures;
  std::string received;
  std::shared_ptr<WebSocketConnection> connection;
};

}  // namespace aiserve::http::detail
