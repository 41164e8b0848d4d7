// What goes to the peer: frames, their order, and who waits for room.
#include <algorithm>
#include <array>
#include <utility>

#include "http/websocket_connection.hpp"

namespace aiserve::inline v0::http::detail {

using v0::detail::Operation;

// --- the output

OutBuffer& WebSocketConnection::out() {
  auto& pool = setup_.resources.out_buffers;
  if (out_ == nullptr) {
    out_since_ = now_;
    if (pool.empty()) {
      out_ = std::make_unique<OutBuffer>();
    } else {
      out_ = std::move(pool.back());
      pool.pop_back();
    }
  }
  return *out_;
}

void WebSocketConnection::give_back_out() noexcept {
  constexpr std::size_t kKeep = 64;
  auto& pool = setup_.resources.out_buffers;
  if (out_ == nullptr) return;
  out_->consume(out_->pending());
  if (pool.size() < kKeep) {
    if (pool.capacity() == 0) pool.reserve(kKeep);
    pool.push_back(std::move(out_));
  }
  out_.reset();
}

std::size_t WebSocketConnection::gather(std::span<iovec> pieces) const noexcept {
  return out_ == nullptr ? 0 : out_->gather(pieces);
}

void WebSocketConnection::sent(std::size_t n, TimePoint now) {
  const Turn turn(*this, now);
  if (n != 0) out_since_ = now;
  out_->consume(n);
  if (out_->empty()) give_back_out();
  if (waiting() >= kOutMark) return;
  process_spill();
  pump();
}

// --- frames

void WebSocketConnection::write_frame(Opcode opcode, std::string_view payload) {
  if (!is_control(opcode)) setup_.metrics.sent.inc();
  if (write_compressed(opcode, payload)) return;
  append_frame(out().text(), opcode, payload);
}

void WebSocketConnection::write_frame(Opcode opcode, const Bytes& payload) {
  if (payload.size() <= OutBuffer::kCopyUpTo) return write_frame(opcode, payload.text());
  setup_.metrics.sent.inc();
  if (write_compressed(opcode, payload.text())) return;
  append_frame_header(out().text(), opcode, payload.size());
  out().append(payload);
}

// False if the message is better sent as it is.
bool WebSocketConnection::write_compressed(Opcode opcode, std::string_view payload) {
  const DeflateOptions& options = setup_.options.deflate;
  if (!setup_.deflate || is_control(opcode)) return false;
  if (payload.size() < options.min_size || payload.size() > options.max_size) return false;
  const bool takeover = setup_.deflate->server_takeover;
  DeflatePool& pool = setup_.resources.deflate;
  if (deflater_ == nullptr) {
    deflater_ = pool.take_deflater(options.level, setup_.deflate->window_bits);
  }
  std::string packed;
  deflater_->deflate(payload, packed);
  if (!takeover) {
    pool.give_back(std::move(deflater_));
    if (packed.size() >= payload.size()) return false;
  }
  append_frame(out().text(), opcode, packed, true);
  return true;
}

void WebSocketConnection::write_close(std::uint16_t code, std::string_view reason) {
  constexpr std::uint16_t kNoStatus = 1005;
  if (std::exchange(close_sent_, true)) return;
  std::string payload;
  if (code != kNoStatus) {
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xFF);
    payload += reason.substr(0, kMaxControl - payload.size());
  }
  append_frame(out().text(), Opcode::close, payload);
}

// --- the queue

bool WebSocketConnection::may_write() const noexcept {
  return phase_ == Phase::open && !close_sent_ && waiting() < kOutMark;
}

// Writes what waits, as far as the peer keeps up.
void WebSocketConnection::pump() {
  if (outbox_->overflowed()) return end(CancelReason::slow_client);
  while (may_write() && outbox_->bytes() != 0) {
    const auto item = outbox_->pop();
    if (!item) break;
    write_frame(item->opcode, item->payload);
  }
  if (!outbox_->open()) pump_close();
  wake_writers();
  if (phase_ != Phase::open || out_ != nullptr || !close_sent_ || !peer_closed_) return;
  phase_ = failed_ ? Phase::lingering : Phase::closed;
}

void WebSocketConnection::pump_close() {
  begin_closing();
  if (close_sent_) return;
  const auto request = outbox_->take_close();
  if (!request) return;
  status_ = {request->code, request->reason};
  write_close(request->code, request->reason);
}

Result<void> WebSocketConnection::send(Opcode opcode, std::string_view payload) {
  if (may_write() && outbox_->bytes() == 0) {
    if (Result<void> fit = outbox_->check(opcode, payload); !fit) return fit;
    write_frame(opcode, payload);
    if (!in_turn_ && setup_.wake) setup_.wake();
    return success();
  }
  return outbox_->push(opcode, Bytes::copy(payload));
}

Result<void> WebSocketConnection::send(Opcode opcode, const Bytes& payload) {
  if (payload.size() <= OutBuffer::kCopyUpTo && may_write() && outbox_->bytes() == 0) {
    return send(opcode, payload.text());
  }
  return outbox_->push(opcode, payload);
}

Result<void> WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
  return outbox_->close(code, reason);
}

Async<void> WebSocketConnection::write(const Context& ctx, Message message) {
  const Opcode opcode = opcode_of(message.type());
  const std::size_t size = message.bytes().size();
  while (open() && !outbox_->has_room_for(size) && outbox_->bytes() != 0) {
    const auto operation = v0::detail::make_intrusive<Operation>();
    if (!operation->bind(nullptr)) co_return Error(Errc::internal, "not on an I/O thread");
    writers_.push_back(operation);
    operation->watch(ctx);
    co_await operation->wait();
    std::erase(writers_, operation);
    if (operation->outcome() != Operation::Outcome::completed) co_return operation->error();
  }
  co_return send(opcode, message.bytes());
}

// All of them: who finds no room again waits again, in the same order.
void WebSocketConnection::wake_writers() noexcept {
  if (writers_.empty()) return;
  const bool room = outbox_->bytes() * 2 <= outbox_->capacity();
  if (!room && open()) return;
  for (const OperationPtr& writer : writers_) writer->settle(Operation::Outcome::completed);
}

}  // namespace aiserve::inline v0::http::detail
