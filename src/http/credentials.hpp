// What a request shows to say who it is from (RFC 6750 section 2).
#pragma once

#include <string>
#include <string_view>

#include "aiserve/http/request.hpp"

namespace aiserve::inline v0::http::detail {

struct Credentials {
  enum class State : unsigned char { none, present, malformed, repeated, in_query };
  std::string_view token() const noexcept { return decoded.empty() ? shown : decoded; }

  State state = State::none;
  std::string_view shown;  // of the request
  std::string decoded;     // out of the query
};

/// `field`: see AuthenticateOptions.
Credentials find_credentials(const Request& request, std::string_view field, bool query_token);

}  // namespace aiserve::inline v0::http::detail
