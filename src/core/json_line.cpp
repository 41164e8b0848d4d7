#include "core/json_line.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/utf8.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool plain(char c) noexcept { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// What could move a reader's cursor, end a line for some tool, or show text in another order.
bool harmful(char32_t code) noexcept {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061C || code == 0x200E ||
         code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

// One escaped character. All harmful characters lie in the basic plane.
struct Escape {
  std::array<char, 8> data;
  std::size_t size;
  std::string_view view() const noexcept { return {data.data(), size}; }
};

Escape escape(char32_t code) noexcept {
  switch (code) {
    case '"':
      return {{'\\', '"'}, 2};
    case '\\':
      return {{'\\', '\\'}, 2};
    case '\n':
      return {{'\\', 'n'}, 2};
    case '\r':
      return {{'\\', 'r'}, 2};
    case '\t':
      return {{'\\', 't'}, 2};
    default:
      break;
  }
  return {{'\\', 'u', kHex[(code >> 12) & 15], kHex[(code >> 8) & 15], kHex[(code >> 4) & 15],
           kHex[code & 15]},
          6};
}

}  // namespace

bool JsonLine::put(std::string_view piece, std::size_t limit) noexcept {
  if (piece.size() > limit - size_) return false;
  std::memcpy(data_.data() + size_, piece.data(), piece.size());
  size_ += piece.size();
  return true;
}

bool JsonLine::put_escaped(std::string_view text, std::size_t limit) noexcept {
  while (!text.empty()) {
    const auto run =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), plain) - text.begin());
    const std::size_t fitting = std::min(run, limit - size_);
    put(text.substr(0, fitting), limit);
    if (fitting < run) return false;
    text.remove_prefix(run);
    if (text.empty()) break;
    const Utf8Step step = next_utf8(text);
    const bool quoted = step.code == '"' || step.code == '\\' || harmful(step.code);
    const std::string_view character = step.valid ? text.substr(0, step.length) : "\xEF\xBF\xBD";
    if (!put(quoted ? escape(step.code).view() : character, limit)) return false;
    text.remove_prefix(step.length);
  }
  return true;
}

bool JsonLine::put_key(std::string_view key) noexcept {
  const std::size_t before = size_;
  const bool whole = (size_ == 1 || put(",", kRoom)) && put("\"", kRoom) &&
                     put_escaped(key, kRoom) && put("\":", kRoom);
  if (!whole) size_ = before;
  truncated_ = truncated_ || !whole;
  return whole;
}

void JsonLine::add_raw(std::string_view key, std::string_view raw) noexcept {
  const std::size_t before = size_;
  if (!put_key(key) || put(raw, kRoom)) return;
  size_ = before;
  truncated_ = true;
}

void JsonLine::add(std::string_view key, std::string_view text) noexcept {
  const std::size_t before = size_;
  if (!put_key(key)) return;
  constexpr std::size_t kQuotes = 2;
  if (size_ + kQuotes > kRoom) {
    size_ = before;
    truncated_ = true;
    return;
  }
  put("\"", kRoom);
  const std::size_t limit = std::min(size_ + kMaxText, kRoom - 1);
  if (!put_escaped(text, limit)) truncated_ = true;
  put("\"", kRoom);
}

template <class Number>
void JsonLine::add_number(std::string_view key, Number number) noexcept {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  add_raw(key, {text.data(), static_cast<std::size_t>(end - text.data())});
}
template void JsonLine::add_number(std::string_view, std::int64_t) noexcept;
template void JsonLine::add_number(std::string_view, std::uint64_t) noexcept;

void JsonLine::add(std::string_view key, double number) noexcept {
  if (std::isnan(number)) return add_raw(key, "\"NaN\"");
  if (std::isinf(number)) return add_raw(key, number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  add_number(key, number);
}

void JsonLine::add(std::string_view key, bool value) noexcept {
  add_raw(key, value ? "true" : "false");
}

std::string_view JsonLine::finish() noexcept {
  put(truncated_ ? kTail : std::string_view("}"), kMaxSize);
  return {data_.data(), size_};
}

}  // namespace aiserve::inline v0::detail
