#include "http/event_queue.hpp"

#include <utility>

namespace aiserve::inline v0::http {
namespace detail {
namespace {

// What is handed to the connection at a time.
constexpr std::size_t kAtOnce = 64 * 1024;

// Every CR LF, CR or LF begins a line of its own, so no text can end the event early.
void append_lines(std::string& out, std::string_view lead, std::string_view text) {
  for (;;) {
    const std::size_t end = text.find_first_of("\r\n");
    out.append(lead).append(text.substr(0, end)).append("\n");
    if (end == std::string_view::npos) return;
    const bool pair = text.substr(end, 2) == "\r\n";
    text.remove_prefix(end + (pair ? 2 : 1));
  }
}

}  // namespace

bool is_one_line(std::string_view text) noexcept {
  constexpr std::string_view kBad("\r\n\0", 3);
  return text.find_first_of(kBad) == std::string_view::npos;
}

Result<Bytes> encode(const Event& event) {
  if (!is_one_line(event.event) || !is_one_line(event.id)) {
    return Error(Errc::invalid_argument, "a line break or NUL in the type or id of an event");
  }
  if (event.retry && event.retry->count() < 0) {
    return Error(Errc::invalid_argument, "the retry of an event is negative");
  }
  std::string out;
  if (!event.event.empty()) out.append("event: ").append(event.event).append("\n");
  if (!event.id.empty()) out.append("id: ").append(event.id).append("\n");
  if (event.retry) out.append("retry: ").append(std::to_string(event.retry->count())).append("\n");
  append_lines(out, "data: ", event.data);
  out += '\n';
  return Bytes::adopt(std::move(out));
}

Bytes encode_comment(std::string_view text) {
  std::string out;
  append_lines(out, ": ", text);
  out += '\n';
  return Bytes::adopt(std::move(out));
}

Result<void> EventQueue::send(const Event& event) {
  Result<Bytes> wire = encode(event);
  if (!wire) return wire.error();
  return push(std::move(*wire));
}

Result<void> EventQueue::push(Bytes wire) {
  const std::scoped_lock lock(mutex_);
  if (closed_ || gone_) return Error(Errc::cancelled, "the event stream is closed");
  const std::size_t needed = cost(wire);
  while (held_ + needed > capacity_) {
    if (slow_ == SlowClient::disconnect || events_.empty()) return overflow();
    drop_oldest();
  }
  held_ += needed;
  events_.push_back(std::move(wire));
  wake();
  return success();
}

// No room, or never any for this event.
Result<void> EventQueue::overflow() {
  if (slow_ == SlowClient::drop_oldest) {
    ++dropped_;
    if (dropped_counter_ != nullptr) dropped_counter_->inc();
    return Error(Errc::too_large, "the event is larger than the buffer of its stream");
  }
  closed_ = overflowed_ = true;
  wake();
  return Error(Errc::overloaded, "the client does not read its events fast enough");
}

void EventQueue::drop_oldest() noexcept {
  held_ -= cost(events_.front());
  events_.pop_front();
  ++dropped_;
  if (dropped_counter_ != nullptr) dropped_counter_->inc();
}

bool EventQueue::fits(std::span<const Bytes> wires) const noexcept {
  const std::scoped_lock lock(mutex_);
  std::size_t needed = held_;
  for (const Bytes& wire : wires) needed += cost(wire);
  return needed <= capacity_;
}

void EventQueue::close() noexcept {
  const std::scoped_lock lock(mutex_);
  if (std::exchange(closed_, true)) return;
  wake();
}

bool EventQueue::open() const noexcept {
  const std::scoped_lock lock(mutex_);
  return !closed_ && !gone_;
}

std::uint64_t EventQueue::dropped() const noexcept {
  const std::scoped_lock lock(mutex_);
  return dropped_;
}

void EventQueue::wake() noexcept {
  if (std::exchange(woken_, true) || !wake_) return;
  wake_();
}

StreamSource::State EventQueue::pull(std::vector<Bytes>& pieces) {
  const std::scoped_lock lock(mutex_);
  woken_ = false;
  if (overflowed_) return State::overflowed;
  for (std::size_t taken = 0; !events_.empty() && taken < kAtOnce;) {
    taken += events_.front().size();
    held_ -= cost(events_.front());
    pieces.push_back(std::move(events_.front()));
    events_.pop_front();
  }
  return closed_ && events_.empty() ? State::ended : State::open;
}

void EventQueue::gone(CancelReason) noexcept {
  const std::scoped_lock lock(mutex_);
  gone_ = true;
  wake_ = nullptr;
  events_.clear();
  held_ = 0;
}

}  // namespace detail

Result<void> EventStream::send(const Event& event) const { return queue_->send(event); }

Result<void> EventStream::comment(std::string_view text) const {
  return queue_->push(detail::encode_comment(text));
}

bool EventStream::open() const noexcept { return queue_->open(); }
std::uint64_t EventStream::dropped() const noexcept { return queue_->dropped(); }
void EventStream::close() const noexcept { queue_->close(); }

}  // namespace aiserve::inline v0::http
