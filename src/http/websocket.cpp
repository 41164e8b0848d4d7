#include "aiserve/http/websocket.hpp"

#include <utility>

#include "http/websocket_connection.hpp"

namespace aiserve::inline v0::http {

using detail::opcode_of;

Result<void> WebSocketSender::send(const Message& message) const {
  return outbox_->push(opcode_of(message.type()), message.bytes());
}

Result<void> WebSocketSender::close(std::uint16_t code, std::string_view reason) const {
  return outbox_->close(code, reason);
}

bool WebSocketSender::open() const noexcept { return outbox_->open(); }
std::size_t WebSocketSender::queued() const noexcept { return outbox_->bytes(); }

Async<Message> WebSocket::receive() { return connection_.receive(context()); }
Async<Message> WebSocket::receive(const Context& ctx) { return connection_.receive(ctx); }

Result<void> WebSocket::send(std::string_view text) {
  return connection_.send(detail::Opcode::text, text);
}
Result<void> WebSocket::send(const Message& message) {
  return connection_.send(opcode_of(message.type()), message.bytes());
}
Result<void> WebSocket::send(const MessageView& message) {
  return connection_.send(opcode_of(message.type), message.payload);
}

Async<void> WebSocket::write(Message message) {
  return connection_.write(context(), std::move(message));
}
Async<void> WebSocket::write(const Context& ctx, Message message) {
  return connection_.write(ctx, std::move(message));
}

Result<void> WebSocket::close(std::uint16_t code, std::string_view reason) {
  return connection_.close(code, reason);
}
bool WebSocket::open() const noexcept { return connection_.open(); }
CloseStatus WebSocket::closed() const { return connection_.status(); }

Result<void> WebSocket::follow(EventBus& bus, std::string_view topic, MessageType type) {
  return connection_.follow(bus, topic, type);
}
void WebSocket::unfollow(std::string_view topic) noexcept { connection_.unfollow(topic); }

WebSocketSender WebSocket::sender() const noexcept { return WebSocketSender(connection_.outbox()); }
const Request& WebSocket::request() const noexcept { return connection_.setup().request; }
const Context& WebSocket::context() const noexcept { return connection_.setup().context; }
std::string_view WebSocket::subprotocol() const noexcept { return connection_.setup().subprotocol; }

}  // namespace aiserve::inline v0::http
