#include "http/websocket_outbox.hpp"

#include <utility>

#include "http/utf8_stream.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kMaxReason = kMaxControl - 2;

bool is_reason(std::string_view text) noexcept {
  Utf8Stream utf8;
  return text.size() <= kMaxReason && utf8.feed(text) && utf8.complete();
}

}  // namespace

Error closed_error() { return {Errc::cancelled, "the WebSocket is closed"}; }

void MessageQueue::push(Opcode opcode, Bytes payload) {
  bytes_ += cost(payload.size());
  items_.push_back({opcode, std::move(payload)});
}

MessageQueue::Item MessageQueue::pop() noexcept {
  constexpr std::size_t kCompactFrom = 64;
  Item item = std::move(items_[first_++]);
  bytes_ -= cost(item.payload.size());
  if (first_ == items_.size()) {
    clear();
  } else if (first_ >= kCompactFrom && first_ * 2 >= items_.size()) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  return item;
}

void MessageQueue::clear() noexcept {
  std::vector<Item>().swap(items_);
  first_ = bytes_ = 0;
}

Result<void> WebSocketOutbox::check(Opcode opcode, std::string_view payload) const {
  if (!open()) return closed_error();
  if (MessageQueue::cost(payload.size()) > capacity_) {
    return Error(Errc::too_large, "the message is larger than the queue of this WebSocket");
  }
  Utf8Stream utf8;
  if (opcode == Opcode::text && !(utf8.feed(payload) && utf8.complete())) {
    return Error(Errc::invalid_argument, "a text message must be UTF-8");
  }
  return success();
}

Result<void> WebSocketOutbox::push(Opcode opcode, Bytes payload) {
  if (Result<void> fit = check(opcode, payload.text()); !fit) return fit;
  const std::scoped_lock lock(mutex_);
  if (!open()) return closed_error();
  if (!make_room(payload.size())) {
    overflowed_.store(true, std::memory_order_release);
    open_.store(false, std::memory_order_release);
    wake();
    return Error(Errc::overloaded, "the client does not read its messages fast enough");
  }
  queue_.push(opcode, std::move(payload));
  settle_bytes();
  wake();
  return success();
}

bool WebSocketOutbox::make_room(std::size_t payload) {
  while (!has_room_for(payload)) {
    if (policy_ == SlowClient::disconnect) return false;
    queue_.pop();
    dropped_.inc();
    settle_bytes();
  }
  return true;
}

Result<void> WebSocketOutbox::close(std::uint16_t code, std::string_view reason) {
  if (!is_close_code(code))
    return Error(Errc::invalid_argument, "no code to close a WebSocket with");
  if (!is_reason(reason)) {
    return Error(Errc::invalid_argument, "a reason is at most 123 bytes of UTF-8");
  }
  const std::scoped_lock lock(mutex_);
  if (!open_.exchange(false, std::memory_order_acq_rel)) return closed_error();
  close_ = CloseRequest{code, std::string(reason)};
  wake();
  return success();
}

std::optional<MessageQueue::Item> WebSocketOutbox::pop() {
  const std::scoped_lock lock(mutex_);
  woken_ = false;
  if (queue_.empty()) return std::nullopt;
  std::optional<MessageQueue::Item> item = queue_.pop();
  settle_bytes();
  return item;
}

std::optional<CloseRequest> WebSocketOutbox::take_close() {
  const std::scoped_lock lock(mutex_);
  if (!queue_.empty()) return std::nullopt;
  return std::exchange(close_, std::nullopt);
}

void WebSocketOutbox::end() noexcept {
  const std::scoped_lock lock(mutex_);
  open_.store(false, std::memory_order_release);
  wake_ = nullptr;
  queue_.clear();
  close_.reset();
  settle_bytes();
}

void WebSocketOutbox::wake() noexcept {
  if (std::exchange(woken_, true) || !wake_) return;
  wake_();
}

}  // namespace aiserve::inline v0::http::detail
