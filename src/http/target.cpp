#include "http/target.hpp"

#include "core/utf8.hpp"
#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// The value of "%41" at the front of `text`, or -1.
int escape_value(std::string_view text) noexcept {
  if (text.size() < 3) return -1;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool unescape_path(std::string_view raw, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      out += raw[i];
      continue;
    }
    const int value = escape_value(raw.substr(i));
    if (value < 0x20 || value == 0x7f || value == '/' || value == '\\') return false;
    out += static_cast<char>(value);
    i += 2;
  }
  return is_valid_utf8(out);
}

bool has_only_plain_segments(std::string_view path) noexcept {
  std::size_t begin = 1;
  while (begin < path.size()) {
    std::size_t end = path.find('/', begin);
    const bool last = end == std::string_view::npos;
    if (last) end = path.size();
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == "..") return false;
    begin = end + 1;
  }
  return true;
}

void append_form_decoded(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = text[i] == '%' ? escape_value(text.substr(i)) : -1;
    if (value >= 0) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
}

bool form_equals(std::string_view encoded, std::string_view name) {
  if (encoded.find_first_of("%+") == std::string_view::npos) return encoded == name;
  std::string decoded;
  append_form_decoded(encoded, decoded);
  return decoded == name;
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto step = v0::detail::next_utf8(text);
    if (!step.valid) return false;
    text.remove_prefix(step.length);
  }
  return true;
}

std::optional<std::string_view> decode_path(std::string_view raw, std::string& storage) {
  if (raw.empty()) return std::string_view("/");
  if (raw.front() != '/' || raw.find('\\') != std::string_view::npos) return std::nullopt;
  std::string_view path = raw;
  if (raw.find('%') != std::string_view::npos) {
    if (!unescape_path(raw, storage)) return std::nullopt;
    path = storage;
  }
  if (!has_only_plain_segments(path)) return std::nullopt;
  return path;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (form_equals(pair.substr(0, equals), name) && !pair.empty()) {
      std::string value;
      if (equals != std::string_view::npos) append_form_decoded(pair.substr(equals + 1), value);
      return value;
    }
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return std::nullopt;
}

}  // namespace aiserve::inline v0::http::detail
