// What comes from the peer, time, and ends. What goes out: websocket_output.cpp.
#include "http/websocket_connection.hpp"

#include <algorithm>
#include <utility>

namespace aiserve::inline v0::http::detail {

WebSocketMetrics::WebSocketMetrics(Metrics& metrics, const std::string& server)
    : received(metrics.counter("aiserve_http_websocket_messages_total",
                               "Messages of WebSockets by direction",
                               {{"server", server}, {"direction", "received"}})),
      sent(metrics.counter("aiserve_http_websocket_messages_total",
                           "Messages of WebSockets by direction",
                           {{"server", server}, {"direction", "sent"}})),
      dropped(metrics.counter("aiserve_http_websocket_dropped_total",
                              "Messages dropped because a client was slow", {{"server", server}})),
      open(metrics.gauge("aiserve_http_websockets", "WebSockets open", {{"server", server}})) {}

WebSocketConnection::WebSocketConnection(WebSocketSetup setup, TimePoint now)
    : setup_(std::move(setup)),
      outbox_(std::make_shared<WebSocketOutbox>(setup_.options.max_queue,
                                                setup_.options.slow_client, setup_.metrics.dropped,
                                                setup_.wake)),
      reader_({.max_message = setup_.options.max_message,
               .deflate = setup_.deflate.has_value(),
               .context_takeover = setup_.deflate && setup_.deflate->client_takeover},
              setup_.resources.deflate),
      now_(now),
      heard_(now),
      pinged_(now),
      out_since_(now),
      closing_since_(now) {
  setup_.metrics.open.add(1);
}

WebSocketConnection::~WebSocketConnection() {
  if (!over_) setup_.metrics.open.add(-1);
  outbox_->end();
  setup_.resources.deflate.give_back(std::move(deflater_));
}

// --- input

void WebSocketConnection::feed(std::string_view bytes, TimePoint now) {
  const Turn turn(*this, now);
  heard_ = now;
  if (spill_.empty()) {
    bytes.remove_prefix(process(bytes));
    if (!peer_closed_) spill_.assign(bytes);
  } else {
    spill_.append(bytes);
    process_spill();
  }
  reader_.trim();
  pump();
}

std::size_t WebSocketConnection::process(std::string_view input) {
  const std::size_t size = input.size();
  while (!input.empty() && may_read()) step(input);
  follow_message();
  return size - input.size();
}

void WebSocketConnection::follow_message() {
  if (reader_.between_messages()) {
    message_since_.reset();
  } else if (!message_since_) {
    message_since_ = now_;
  }
}

void WebSocketConnection::process_spill() {
  if (spill_.empty()) return;
  spill_at_ += process(std::string_view(spill_).substr(spill_at_));
  if (spill_at_ < spill_.size() && !peer_closed_) return;
  std::string().swap(spill_);
  spill_at_ = 0;
}

bool WebSocketConnection::may_read() const noexcept {
  const bool room = inbox_.empty() || inbox_.bytes() < setup_.options.max_unread;
  return phase_ == Phase::open && !peer_closed_ && room && waiting() < kOutMark;
}

bool WebSocketConnection::wants_read() const noexcept { return may_read() && spill_.empty(); }

void WebSocketConnection::step(std::string_view& input) {
  using Outcome = WebSocketReader::Outcome;
  switch (reader_.next(input)) {
    case Outcome::message:
      return take_message();
    case Outcome::ping:
      if (!close_sent_) write_frame(Opcode::pong, reader_.control());
      return;
    case Outcome::close:
      return peer_closes();
    case Outcome::failed:
      return fail(reader_.code(), reader_.reason());
    case Outcome::more:
    case Outcome::pong:  // that bytes came is all that counts
      return;
  }
}

void WebSocketConnection::take_message() {
  setup_.metrics.received.inc();
  message_since_.reset();
  if (!outbox_->open()) return;  // nobody wants it any more
  if (setup_.on_message != nullptr) return deliver();
  inbox_.push(reader_.type(), Bytes::adopt(std::move(reader_.message())));
  wake_receiver();
}

void WebSocketConnection::deliver() {
  const bool text = reader_.type() == Opcode::text;
  const MessageView message{text ? MessageType::text : MessageType::binary, reader_.message()};
  try {
    (*setup_.on_message)(handle_, message);
  } catch (...) {
    if (setup_.failed) setup_.failed(error_from_current_exception());
    (void)close(1011, "internal error");
  }
}

// Its close is answered with the same code (section 5.5.1). What waited to be sent is of no use to
// a peer that has stopped listening.
void WebSocketConnection::peer_closes() {
  if (status_.code == 0) status_ = {reader_.code(), std::string(reader_.control())};
  stop_listening();
  write_close(reader_.code(), {});
}

void WebSocketConnection::fail(std::uint16_t code, std::string_view reason) {
  failed_ = true;
  if (status_.code == 0) status_ = {code, std::string(reason)};
  stop_listening();
  write_close(code, reason);
}

void WebSocketConnection::stop_listening() noexcept {
  peer_closed_ = true;
  outbox_->end();
  begin_closing();
  wake_writers();
}

void WebSocketConnection::begin_closing() noexcept {
  if (std::exchange(closing_, true)) return;
  closing_since_ = now_;
  wake_receiver();
}

void WebSocketConnection::end_of_input(TimePoint now) {
  now_ = now;
  if (!peer_closed_) end(CancelReason::client_gone);
}

// --- time and ends

void WebSocketConnection::tick(TimePoint now) {
  const Turn turn(*this, now);
  if (!wants_read()) {  // it may have said something that was not read
    heard_ = now;
    if (message_since_) message_since_ = now;
  }
  if (out_ != nullptr && now - out_since_ >= setup_.write_timeout) {
    return end(CancelReason::slow_client);
  }
  if (closing_) {
    if (now - closing_since_ >= setup_.options.close_timeout) end(CancelReason::client_gone);
  } else if (setup_.context.deadline().expired(now)) {
    (void)outbox_->close(kExpired, kExpiredReason);
    pump();
  } else {
    check_silence();
    check_message();
  }
}

void WebSocketConnection::check_message() {
  if (!message_since_ || phase_ != Phase::open) return;
  if (now_ - *message_since_ < setup_.options.message_timeout) return;
  fail(1008, "the message took too long");
  pump();
}

void WebSocketConnection::check_silence() {
  const Duration quiet = now_ - heard_;
  if (quiet >= setup_.options.idle_timeout) return end(CancelReason::client_gone);
  const Duration unasked = now_ - std::max(heard_, pinged_);
  if (unasked < setup_.options.ping_interval || out_ != nullptr) return;
  pinged_ = now_;
  write_frame(Opcode::ping, std::string_view());
}

void WebSocketConnection::drain(TimePoint now) {
  const Turn turn(*this, now);
  (void)outbox_->close(1001, "the server is shutting down");
  reason_ = CancelReason::shutdown;
  setup_.context.cancel(CancelReason::shutdown);
  pump();
}

void WebSocketConnection::woken(TimePoint now) {
  const Turn turn(*this, now);
  process_spill();
  pump();
}

// Without another word to the peer.
void WebSocketConnection::end(CancelReason reason) noexcept {
  phase_ = Phase::closed;
  reason_ = reason;
}

void WebSocketConnection::ended(CancelReason reason) noexcept {
  if (std::exchange(over_, true)) return;
  phase_ = Phase::closed;
  if (status_.code == 0) status_.code = 1006;
  setup_.metrics.open.add(-1);
  stop_listening();
  follows_.clear();
  give_back_out();
  std::string().swap(spill_);
  setup_.context.cancel(reason == CancelReason::none ? reason_ : reason);
  tell_end();
}

void WebSocketConnection::tell_end() noexcept {
  try {
    if (setup_.options.on_close) setup_.options.on_close(handle_);
  } catch (...) {
    if (setup_.failed) setup_.failed(error_from_current_exception());
  }
  if (setup_.over) std::exchange(setup_.over, nullptr)();
}

// --- the handler's side

Async<Message> WebSocketConnection::receive(const Context& ctx) {
  if (setup_.on_message != nullptr) {
    co_return Error(Errc::conflict, "the messages of this WebSocket go to a callback");
  }
  while (inbox_.empty()) {
    if (!open()) co_return closed_error();
    if (receiver_) co_return Error(Errc::conflict, "another receive() waits for the next message");
    const auto operation = v0::detail::make_intrusive<v0::detail::Operation>();
    if (!operation->bind(nullptr)) co_return Error(Errc::internal, "not on an I/O thread");
    receiver_ = operation;
    operation->watch(ctx);
    co_await operation->wait();
    receiver_ = OperationPtr();
    if (operation->outcome() != v0::detail::Operation::Outcome::completed && inbox_.empty()) {
      co_return operation->error();
    }
  }
  const bool was_full = !may_read();
  MessageQueue::Item item = inbox_.pop();
  if (was_full && may_read() && setup_.wake) setup_.wake();  // reading goes on
  const bool text = item.opcode == Opcode::text;
  co_return Message(text ? MessageType::text : MessageType::binary, std::move(item.payload));
}

void WebSocketConnection::wake_receiver() noexcept {
  if (receiver_) receiver_->settle(v0::detail::Operation::Outcome::completed);
}

Result<void> WebSocketConnection::follow(EventBus& bus, std::string_view topic, MessageType type) {
  if (!open()) return closed_error();
  const WebSocketSender to = handle_.sender();
  auto attached = bus.attach(topic, [to, type](const BusEvent& event) {
    (void)to.send(Message(type, event.payload));  // that it was slow or has gone shows elsewhere
  });
  if (!attached) return std::move(attached).error();
  unfollow(topic);
  follows_.push_back({std::string(topic), std::move(*attached)});
  return success();
}

void WebSocketConnection::unfollow(std::string_view topic) noexcept {
  std::erase_if(follows_, [topic](const Follow& follow) { return follow.topic == topic; });
}

}  // namespace aiserve::inline v0::http::detail
