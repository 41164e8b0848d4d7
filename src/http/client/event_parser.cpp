#include "http/client/event_parser.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::int64_t kLongestRetryMs = 24 * 3600 * 1000;

// As Last-Event-ID; the standard excludes NUL only, because browsers don't mind the rest.
bool can_be_sent_back(std::string_view id) noexcept {
  const char* const end = id.data() + id.size();
  return field_chars_end(id.data(), end) == end && trim(id).size() == id.size();
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
  if (std::exchange(after_cr_, false) && bytes.starts_with('\n')) bytes.remove_prefix(1);
  while (!bytes.empty()) {
    const std::size_t end = bytes.find_first_of("\r\n");
    if (!append(bytes.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    if (!line(std::exchange(line_, {}))) return false;
    const bool cr = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (cr && bytes.empty()) after_cr_ = true;
    if (cr && bytes.starts_with('\n')) bytes.remove_prefix(1);
  }
  return true;
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
  ready_.push_back({std::move(type), std::exchange(data_, {}), last_id_});
}

std::optional<ServerEvent> EventParser::next() {
  if (ready_.empty()) return std::nullopt;
  ServerEvent event = std::move(ready_.front());
  ready_.pop_front();
  return event;
}

void EventParser::restart() noexcept {
  begun_ = false;
  after_cr_ = false;
  line_.clear();
  type_.clear();
  data_.clear();
  id_ = last_id_;
}

}  // namespace aiserve::inline v0::http::detail
