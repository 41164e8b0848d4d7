#include "http/event_queue.hpp"

#include <utility>

namespace aiserve::inline v0::http {
namespace detail {
namespace {

bool is_one_line(std::string_view text) noexcept {
  constexpr std::string_view kBad("\r\n\0", 3);
  return text.find_first_of(kBad) == std::string_view::npos;
}

// Every CR LF, CR or LF begins a data line of its own, so no data can end the event early.
void append_data(std::string& out, std::string_view data) {
  for (;;) {
    const std::size_t end = data.find_first_of("\r\n");
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) return;
    const bool pair = data.substr(end, 2) == "\r\n";
    data.remove_prefix(end + (pair ? 2 : 1));
  }
}

}  // namespace

bool append_event(std::string& out, const Event& event) {
  if (!is_one_line(event.event) || !is_one_line(event.id)) return false;
  if (!event.event.empty()) out.append("event: ").append(event.event).append("\n");
  if (!event.id.empty()) out.append("id: ").append(event.id).append("\n");
  if (event.retry) out.append("retry: ").append(std::to_string(event.retry->count())).append("\n");
  append_data(out, event.data);
  out += '\n';
  return true;
}

Result<void> EventQueue::send(const Event& event) {
  const std::scoped_lock lock(mutex_);
  if (closed_ || gone_) return Error(Errc::cancelled, "the event stream is closed");
  const std::size_t before = text_.size();
  if (!append_event(text_, event)) {
    return Error(Errc::invalid_argument, "a line break or NUL in the type or id of an event");
  }
  if (text_.size() > capacity_) {
    text_.resize(before);
    closed_ = overflowed_ = true;
    wake();
    return Error(Errc::overloaded, "the client does not read its events fast enough");
  }
  wake();
  return success();
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

void EventQueue::wake() noexcept {
  if (std::exchange(woken_, true) || !wake_) return;
  wake_();
}

StreamSource::State EventQueue::pull(std::vector<Bytes>& pieces) {
  const std::scoped_lock lock(mutex_);
  woken_ = false;
  if (overflowed_) return State::overflowed;
  if (!text_.empty()) pieces.push_back(Bytes::adopt(std::exchange(text_, {})));
  return closed_ ? State::ended : State::open;
}

void EventQueue::gone(CancelReason) noexcept {
  const std::scoped_lock lock(mutex_);
  gone_ = true;
  wake_ = nullptr;
  std::string().swap(text_);
}

}  // namespace detail

Result<void> EventStream::send(const Event& event) const { return queue_->send(event); }
bool EventStream::open() const noexcept { return queue_->open(); }
void EventStream::close() const noexcept { queue_->close(); }

}  // namespace aiserve::inline v0::http
