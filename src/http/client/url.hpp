// Url: an http or https address, taken apart strictly (RFC 3986, RFC 9110 section 4.2).
//
// Refused, because two readers could take them for two hosts: userinfo, backslashes, control and
// non-ASCII characters, percent signs in the host, numbers that are no dotted quad ("0x7f.1",
// "2130706433"), empty labels. Internationalised names come in their ASCII form (RFC 5890).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aiserve/core/result.hpp"

namespace aiserve::inline v0::http::detail {

class Url {
 public:
  // invalid_argument. A fragment is dropped.
  static Result<Url> parse(std::string_view text);
  // What a Location or link in an answer from here refers to (RFC 3986 section 5.2).
  Result<Url> resolve(std::string_view reference) const;

  bool secure() const noexcept { return secure_; }
  // Lower case; an IPv6 address without its brackets.
  const std::string& host() const noexcept { return host_; }
  std::uint16_t port() const noexcept { return port_; }
  // Path and query as they go into the request line.
  const std::string& target() const noexcept { return target_; }
  // The Host field: without the scheme's own port.
  std::string authority() const;
  // "https://a.example:443"
  std::string origin() const;

  // Appends to the query, encoded as an HTML form is.
  void add_query(std::string_view name, std::string_view value);

 private:
  Url() = default;

  bool secure_ = false;
  std::uint16_t port_ = 0;
  std::string host_;
  std::string target_;
};

// All but unreserved characters become %XX, a space '+'.
void append_form_encoded(std::string& out, std::string_view text);

}  // namespace aiserve::inline v0::http::detail
