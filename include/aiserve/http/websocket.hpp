/// WebSocket: the server's end of one WebSocket connection (RFC 6455).
///
/// A route's handler is either a coroutine, whose return closes the socket, or a callback that is
/// called with every message on the connection's I/O thread: the fastest way to answer.
/// Sending never blocks and is never refused for being concurrent: messages wait in a queue of
/// bounded bytes. If the client doesn't keep up, send() does what the route's SlowClient policy
/// says, and write() waits for room. Pings, the closing handshake and fragments are taken care of.
/// The Context is cancelled when the socket has ended: client_gone, slow_client, shutdown.
/// *Thread safety:* the handler's coroutine or callback only; WebSocketSender from any thread.
/// *Errors:* cancelled once the socket is closed by either side, too_large for a message beyond
/// max_queue, overloaded when the queue is full (the client is disconnected then), invalid_argument
/// for text that is not UTF-8 or a close code that may not be sent.
///
///     server.websocket("/chat", [](const Context&, http::WebSocket& socket) -> Async<void> {
///       while (Result<http::Message> message = co_await socket.receive()) {
///         if (!socket.send(*message)) break;
///       }
///       co_return success();
///     });
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/core/context.hpp>
#include <aiserve/http/request.hpp>
#include <aiserve/http/websocket_options.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0 {
class EventBus;
}

namespace aiserve::inline v0::http {

namespace detail {
class WebSocketConnection;
class WebSocketOutbox;
}  // namespace detail

enum class MessageType : std::uint8_t { text, binary };

/// A whole message. Copies share its bytes.
class Message {
 public:
  Message() noexcept = default;
  Message(MessageType type, Bytes payload) noexcept : type_(type), payload_(std::move(payload)) {}
  /// Text, copied.
  static Message text(std::string_view text) { return {MessageType::text, Bytes::copy(text)}; }
  static Message binary(Bytes payload) noexcept {
    return {MessageType::binary, std::move(payload)};
  }

  MessageType type() const noexcept { return type_; }
  /// The payload as characters; of a text message they are valid UTF-8.
  std::string_view text() const noexcept { return payload_.text(); }
  const Bytes& bytes() const noexcept { return payload_; }

 private:
  MessageType type_ = MessageType::text;
  Bytes payload_;
};

/// A message as a callback sees it: its payload lives as long as the call.
struct MessageView {
  MessageType type = MessageType::text;
  std::string_view payload;
};

/// How a socket has ended: with the code of the close frame that came first, 1005 if it had none,
/// 1006 if there was no close frame. 0 while it is open.
struct CloseStatus {
  std::uint16_t code = 0;
  std::string reason;
};

/// Sends from any thread. Copies are handles of one socket and may outlive it.
class WebSocketSender {
 public:
  explicit WebSocketSender(std::shared_ptr<detail::WebSocketOutbox> outbox) noexcept
      : outbox_(std::move(outbox)) {}

  /// Text must be UTF-8: a client may end the connection otherwise. It is not checked here.
  Result<void> send(const Message& message) const;
  Result<void> send(std::string_view text) const { return send(Message::text(text)); }
  /// What was sent before still goes out.
  Result<void> close(std::uint16_t code = 1000, std::string_view reason = {}) const;
  bool open() const noexcept;
  /// Bytes that wait for the client.
  std::size_t queued() const noexcept;

 private:
  std::shared_ptr<detail::WebSocketOutbox> outbox_;
};

class WebSocket {
 public:
  explicit WebSocket(detail::WebSocketConnection& connection) noexcept : connection_(connection) {}
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  /// The next message, in order. One wait at a time. Not with a callback.
  Async<Message> receive();
  /// The same, until `ctx` ends too.
  Async<Message> receive(const Context& ctx);

  Result<void> send(std::string_view text);
  Result<void> send(const Message& message);
  Result<void> send(const MessageView& message);
  /// Waits until the queue has room.
  Async<void> write(Message message);
  Async<void> write(const Context& ctx, Message message);

  /// Ends the socket: what was sent before goes out first. The code is 1000 to 1003, 1007 to 1014
  /// or 3000 to 4999, the reason at most 123 bytes of UTF-8.
  Result<void> close(std::uint16_t code = 1000, std::string_view reason = {});
  /// Until either side has begun to close.
  bool open() const noexcept;
  CloseStatus closed() const;

  /// Sends every event of a topic as a message until the socket ends, with its policy for slow
  /// clients. The bus outlives the server.
  Result<void> follow(EventBus& bus, std::string_view topic, MessageType type = MessageType::text);
  void unfollow(std::string_view topic) noexcept;

  WebSocketSender sender() const noexcept;
  /// The request of the handshake.
  const Request& request() const noexcept;
  const Context& context() const noexcept;
  /// What was agreed on; empty: none.
  std::string_view subprotocol() const noexcept;

 private:
  detail::WebSocketConnection& connection_;
};

}  // namespace aiserve::inline v0::http
