#include "http/target.hpp"

#include <algorithm>

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

// Most paths are: nothing encoded, no backslash, and no segment that is empty or begins with a dot.
// Precondition: begins with a slash.
bool is_simple(std::string_view path) noexcept {
  const char* const end = path.data() + path.size();
  for (const char* at = path.data(); at != end; at = end_of(at + 1, end, kPathPlain)) {
    if (*at == '/' && at + 1 != end && (at[1] == '/' || at[1] == '.')) return false;
    if (*at != '/' && *at != '.') return false;
  }
  return true;
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

// Takes what stands before the first '&'.
std::string_view next_pair(std::string_view& query) noexcept {
  const std::size_t end = std::min(query.find('&'), query.size());
  const std::string_view pair = query.substr(0, end);
  query.remove_prefix(std::min(end + 1, query.size()));
  return pair;
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
  if (raw.front() == '/' && is_simple(raw)) return raw;
  if (raw.front() != '/' || raw.find('\\') != std::string_view::npos) return std::nullopt;
  std::string_view path = raw;
  if (raw.find('%') != std::string_view::npos) {
    if (!unescape_path(raw, storage)) return std::nullopt;
    path = storage;
  }
  if (!has_only_plain_segments(path)) return std::nullopt;
  return path;
}

bool for_each_parameter(
    std::string_view query,
    const std::function<bool(const std::string& name, const std::string& value)>& visit) {
  std::string name;
  std::string value;
  while (!query.empty()) {
    const std::string_view pair = next_pair(query);
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    name.clear();
    value.clear();
    append_form_decoded(pair.substr(0, equals), name);
    append_form_decoded(pair.substr(std::min(equals + 1, pair.size())), value);
    if (!visit(name, value)) return false;
  }
  return true;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = next_pair(query);
    const std::size_t equals = pair.find('=');
    if (form_equals(pair.substr(0, equals), name) && !pair.empty()) {
      std::string value;
      if (equals != std::string_view::npos) append_form_decoded(pair.substr(equals + 1), value);
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace aiserve::inline v0::http::detail
