#include "aiserve/http/cookies.hpp"

#include <algorithm>

#include "aiserve/http/request.hpp"
#include "aiserve/http/response.hpp"
#include "http/char_class.hpp"

namespace aiserve::inline v0::http {
namespace {

constexpr std::size_t kLongest = 4096;  // browsers keep no more of name and value
constexpr std::chrono::seconds kLongestAge = std::chrono::hours(24 * 400);

using Cookies = std::vector<std::pair<std::string_view, std::string_view>>;

// cookie-octet of RFC 6265 section 4.1.1
bool is_value_char(char c) noexcept {
  return c > ' ' && c <= '~' && c != '"' && c != ',' && c != ';' && c != '\\';
}
bool is_attribute_char(char c) noexcept { return c >= ' ' && c <= '~' && c != ';'; }

bool is_name(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return detail::is(c, detail::kToken); });
}

std::string_view unquoted(std::string_view value) noexcept {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

void add_pairs(std::string_view field, Cookies& found) {
  while (!field.empty()) {
    const std::size_t end = std::min(field.find(';'), field.size());
    const std::string_view pair = field.substr(0, end);
    field.remove_prefix(std::min(end + 1, field.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = detail::trim(pair.substr(0, equals));
    if (is_name(name)) found.emplace_back(name, unquoted(detail::trim(pair.substr(equals + 1))));
  }
}

bool has_prefix(std::string_view name, std::string_view prefix) noexcept {
  return name.size() >= prefix.size() && detail::iequals(name.substr(0, prefix.size()), prefix);
}

// What is wrong; null: nothing.
const char* fault_of(std::string_view name, std::string_view value, const CookieOptions& options) {
  if (!is_name(name)) return "a cookie's name is no token";
  if (!std::all_of(value.begin(), value.end(), is_value_char))
    return "a cookie's value holds what it may not";
  if (name.size() + value.size() > kLongest) return "a cookie is too large";
  const auto plain = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), is_attribute_char);
  };
  if (!options.path.starts_with('/') || !plain(options.path)) return "a cookie's path is malformed";
  if (!plain(options.domain)) return "a cookie's domain is malformed";
  const auto age = options.max_age.value_or(std::chrono::seconds(0));
  if (age.count() < 0 || age > kLongestAge) return "a cookie's max_age is out of its range";
  if (options.same_site == SameSite::none && !options.secure) return "SameSite=None needs Secure";
  const bool host_only = has_prefix(name, "__Host-");
  if ((host_only || has_prefix(name, "__Secure-")) && !options.secure) {
    return "this cookie's name needs Secure";
  }
  if (host_only && (options.path != "/" || !options.domain.empty())) {
    return "a __Host- cookie has the path / and no domain";
  }
  return nullptr;
}

std::string_view text_of(SameSite same_site) noexcept {
  switch (same_site) {
    case SameSite::strict:
      return "Strict";
    case SameSite::none:
      return "None";
    default:
      return "Lax";
  }
}

}  // namespace

Cookies cookies(const Request& request) {
  Cookies found;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const auto [name, value] = request.header_at(i);
    if (detail::iequals(name, "cookie")) add_pairs(value, found);
  }
  return found;
}

std::optional<std::string_view> cookie(const Request& request, std::string_view name) {
  for (const auto& [key, value] : cookies(request)) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Result<void> set_cookie(Response& response, std::string_view name, std::string_view value,
                        const CookieOptions& options) {
  if (const char* const fault = fault_of(name, value, options)) {
    return Error(Errc::invalid_argument, fault);
  }
  std::string field(name);
  field.append("=").append(value).append("; Path=").append(options.path);
  if (!options.domain.empty()) field.append("; Domain=").append(options.domain);
  if (options.max_age) field.append("; Max-Age=").append(std::to_string(options.max_age->count()));
  if (options.secure) field += "; Secure";
  if (options.http_only) field += "; HttpOnly";
  field.append("; SameSite=").append(text_of(options.same_site));
  response.add_header("Set-Cookie", field);
  return success();
}

Result<void> remove_cookie(Response& response, std::string_view name, CookieOptions options) {
  options.max_age = std::chrono::seconds(0);
  return set_cookie(response, name, "", options);
}

}  // namespace aiserve::inline v0::http
