#include "http/client/event_parser.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kLongestId = 1024;
constexpr std::int64_t kLongestRetryMs = 24 * 3600 * 1000;

// As Last-Event-ID, at a size that servers take; the standard excludes NUL only, because browsers
// don't mind the rest.
bool can_be_sent_back(std::string_view id) noexcept {
  const char* const end = id.data() + id.size();
  return id.size() <= kLongestId && field_chars_end(id.data(), end) == end &&
         trim(id).size() == id.size();
}

std::optional<std::chrono::milliseconds> milliseconds(std::string_view text) noexcept {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc()) value = kLongestRetryMs;
  return std::chrono::milliseconds(std::min(value, kLongestRetryMs));
}

}  // namespace

bool EventParser::feed(std::string_view bytes) {
  input_.erase(0, std::exchange(at_, 0));
  input_ += bytes;
  read();
  return !failed_;
}

// Up to the next event: those after it stay bytes until somebody wants them.
void EventParser::read() {
  while (at_ < input_.size() && !ready_ && !failed_) {
    const std::string_view left = std::string_view(input_).substr(at_);
    if (std::exchange(after_cr_, false) && left.front() == '\n') {
      ++at_;
      continue;
    }
    const std::size_t end = std::min(left.find_first_of("\r\n"), left.size());
    failed_ = !append(left.substr(0, end));
    at_ += std::min(end + 1, left.size());
    if (failed_ || end == left.size()) return;
    after_cr_ = left[end] == '\r';
    const std::string whole = std::exchange(line_, {});
    failed_ = !line(whole);
  }
}

bool EventParser::append(std::string_view piece) {
  if (piece.size() > most_ - std::min(most_, line_.size())) return false;
  line_ += piece;
  return true;
}

bool EventParser::line(std::string_view text) {
  if (!std::exchange(begun_, true) && text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  if (text.empty()) return dispatch(), true;
  const std::size_t colon = std::min(text.find(':'), text.size());
  if (colon == 0) return true;  // a comment
  std::string_view value = text.substr(std::min(colon + 1, text.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  return field(text.substr(0, colon), value);
}

bool EventParser::field(std::string_view name, std::string_view value) {
  if (name == "event") {
    type_ = value;
  } else if (name == "data") {
    if (value.size() >= most_ - std::min(most_, data_.size())) return false;
    data_.append(value).append("\n");
  } else if (name == "id") {
    if (can_be_sent_back(value)) id_ = value;
  } else if (name == "retry") {
    if (const auto time = milliseconds(value)) retry_ = time;
  }
  return true;
}

void EventParser::dispatch() {
  last_id_ = id_;
  std::string type = std::exchange(type_, {});
  if (data_.empty()) return;
  data_.pop_back();  // the last line's end
  if (type.empty()) type = "message";
  ready_ = ServerEvent{std::move(type), std::exchange(data_, {}), last_id_};
}

std::optional<ServerEvent> EventParser::next() {
  if (!ready_) read();
  return std::exchange(ready_, std::nullopt);
}

void EventParser::restart() noexcept {
  begun_ = false;
  after_cr_ = false;
  input_.clear();
  at_ = 0;
  line_.clear();
  type_.clear();
  data_.clear();
  id_ = last_id_;
}

}  // namespace aiserve::inline v0::http::detail
