// What the claims of a token (RFC 7519 section 4.1, RFC 9068) must say, and who that makes its
// bearer.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/core/principal.hpp"
#include "aiserve/core/result.hpp"

namespace aiserve::inline v0::detail {

struct ClaimRules {
  std::string issuer;
  std::string audience;
  std::string tenant_claim;
  std::vector<std::string> kept;
  std::chrono::seconds leeway{0};
  bool access_tokens_only = false;
};

/// `typ` of the header (RFC 8725 section 3.11). Errors: unauthenticated.
Result<void> check_type(std::string_view type, const ClaimRules& rules);

/// `payload`: the JSON of a token whose signature holds. Its principal expires when the token is
/// not taken any more, leeway included. Errors: unauthenticated; the message is safe to show.
Result<Principal> read_claims(std::string_view payload, const ClaimRules& rules, WallTime now);

}  // namespace aiserve::inline v0::detail
