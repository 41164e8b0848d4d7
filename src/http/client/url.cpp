#include "http/client/url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "http/char_class.hpp"
#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kLongest = 8 * 1024;
constexpr std::size_t kLongestHost = 253;  // RFC 1035 section 2.3.4
constexpr std::size_t kLongestLabel = 63;

Error malformed(const char* what) { return {Errc::invalid_argument, what}; }

bool is_alpha(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_unreserved(char c) noexcept {
  return is_alpha(c) || is(c, kDigit) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_label(std::string_view label) noexcept {
  if (label.empty() || label.size() > kLongestLabel) return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return is_alpha(c) || is(c, kDigit) || c == '-' || c == '_'; });
}

// What resolvers may read as an IPv4 address, in whatever base.
bool ends_in_number(std::string_view host) noexcept {
  std::string_view last = host.substr(host.rfind('.') + 1);
  const bool hex = last.size() >= 2 && last[0] == '0' && lower(last[1]) == 'x';
  if (hex) last.remove_prefix(2);
  return std::all_of(last.begin(), last.end(), [&](char c) { return is(c, hex ? kHex : kDigit); });
}

bool is_host_name(std::string_view host) noexcept {
  if (host.empty() || host.size() > kLongestHost) return false;
  if (ends_in_number(host)) return IpAddress::parse(host).has_value();
  while (!host.empty()) {
    const std::size_t dot = host.find('.');
    if (!is_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
  return false;
}

bool is_target(std::string_view target) noexcept {
  return std::all_of(target.begin(), target.end(),
                     [](char c) { return is(c, kTarget) && c != '\\'; });
}

std::optional<std::uint16_t> port_number(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || port == 0) return {};
  return port;
}

// RFC 3986 section 5.2.4, for paths that begin with '/'.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  bool folder = true;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    folder = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!folder) kept.push_back(segment);
  }
  std::string out;
  for (const std::string_view segment : kept) out.append("/").append(segment);
  return folder ? out + "/" : out;
}

bool has_scheme(std::string_view reference) noexcept {
  const std::size_t colon = reference.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_alpha(reference[0])) return false;
  return std::all_of(
      reference.begin(), reference.begin() + static_cast<std::ptrdiff_t>(colon),
      [](char c) { return is_alpha(c) || is(c, kDigit) || c == '+' || c == '-' || c == '.'; });
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > kLongest) return malformed("the URL is too long");
  Url url;
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, colon);
  url.secure_ = iequals(scheme, "https");
  if (colon == std::string_view::npos || (!url.secure_ && !iequals(scheme, "http"))) {
    return malformed("the URL is neither http nor https");
  }
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  std::string_view host = text.substr(0, text.find_first_of("/?"));
  const std::string_view target = text.substr(host.size());
  url.port_ = url.secure_ ? 443 : 80;
  const std::size_t name_end = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  if (name_end != std::string_view::npos) {
    const auto port = port_number(host.substr(name_end + 1));
    if (!port) return malformed("the URL has a bad port");
    url.port_ = *port;
    host = host.substr(0, name_end);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == host.npos || !IpAddress::parse(host)) {
      return malformed("the URL has a bad IPv6 address");
    }
  } else if (!is_host_name(host)) {
    return malformed("the URL has a bad host");
  }
  if (!is_target(target)) return malformed("the URL has a character that must be encoded");
  for (const char c : host) url.host_ += lower(c);
  url.target_ = target.starts_with('/') ? target : "/" + std::string(target);
  return url;
}

Result<Url> Url::resolve(std::string_view reference) const {
  if (reference.size() > kLongest) return malformed("the URL is too long");
  reference = reference.substr(0, reference.find('#'));
  if (has_scheme(reference)) return parse(reference);
  if (reference.starts_with("//")) {
    return parse((secure_ ? "https:" : "http:") + std::string(reference));
  }
  if (!is_target(reference)) return malformed("the URL has a character that must be encoded");
  Url url = *this;
  if (reference.empty()) return url;
  const std::string_view path = std::string_view(target_).substr(0, target_.find('?'));
  const std::string_view to = reference.substr(0, reference.find('?'));
  const std::string_view query = reference.substr(to.size());
  std::string merged(path);
  if (to.starts_with('/')) merged = to;
  if (!to.empty() && !to.starts_with('/')) {
    merged.resize(merged.rfind('/') + 1);
    merged += to;
  }
  url.target_ = without_dots(merged).append(query);
  return url;
}

std::string Url::authority() const {
  const bool brackets = host_.find(':') != std::string::npos;
  std::string text = brackets ? "[" + host_ + "]" : host_;
  if (port_ != (secure_ ? 443 : 80)) text += ":" + std::to_string(port_);
  return text;
}

std::string Url::origin() const {
  return (secure_ ? "https://" : "http://") + host_ + ":" + std::to_string(port_);
}

void Url::add_query(std::string_view name, std::string_view value) {
  target_ += target_.find('?') == std::string::npos ? '?' : '&';
  append_form_encoded(target_, name);
  target_ += '=';
  append_form_encoded(target_, value);
}

void append_form_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append({'%', kDigits[byte >> 4], kDigits[byte & 15u]});
    }
  }
}

}  // namespace aiserve::inline v0::http::detail
