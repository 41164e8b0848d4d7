#include "http/credentials.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using State = Credentials::State;

bool equal_fold(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

// b64token of RFC 6750 section 2.1; keys are made of the same.
bool is_token(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return !text.empty() && end_of(text.data(), end, kToken68) == end;
}

Credentials shown(std::string_view token) {
  return {is_token(token) ? State::present : State::malformed, token, {}};
}

Credentials bearer(std::string_view value) {
  const std::size_t space = value.find(' ');
  if (!equal_fold(value.substr(0, space), "bearer")) return {};  // another scheme is not ours
  if (space == std::string_view::npos) return shown({});
  value.remove_prefix(std::min(value.find_first_not_of(' ', space), value.size()));
  return shown(value);
}

Credentials in_field(const Request& request, std::string_view field) {
  std::optional<std::string_view> value;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const auto [name, text] = request.header_at(i);
    if (!equal_fold(name, field)) continue;
    if (value) return {State::repeated, {}, {}};
    value = text;
  }
  if (!value) return {};
  return equal_fold(field, "authorization") ? bearer(*value) : shown(*value);
}

}  // namespace

Credentials find_credentials(const Request& request, std::string_view field, bool query_token) {
  Credentials found = in_field(request, field);
  if (request.query().empty()) return found;
  std::optional<std::string> asked = request.query("access_token");
  if (!asked) return found;
  if (!query_token) return {State::in_query, {}, {}};
  if (found.state != State::none) return {State::repeated, {}, {}};
  found.decoded = std::move(*asked);
  found.state = is_token(found.decoded) ? State::present : State::malformed;
  return found;
}

}  // namespace aiserve::inline v0::http::detail
