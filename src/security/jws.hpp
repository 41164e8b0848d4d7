// Jws: a JSON Web Signature in compact form (RFC 7515 section 7.1), taken apart and checked for
// form. Strict: three parts of canonical base64url, a header without duplicate members.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "aiserve/core/result.hpp"
#include "security/jws_algorithm.hpp"

namespace aiserve::inline v0::detail {

struct Jws {
  JwsAlgorithm algorithm{};
  std::string key_id;            // empty: none
  std::string type;              // as it stands there; empty: none
  std::string_view signed_text;  // of the token
  std::string payload;           // decoded
  std::string signature;         // decoded
};

/// Keys, certificates and addresses in the header (jwk, jku, x5c, x5u) are not looked at: what a
/// token is verified with is not the token's business. `crit` and `b64` are refused, for they
/// change what the rest means. Errors: unauthenticated; the message is safe to show.
Result<Jws> parse_jws(std::string_view token);

}  // namespace aiserve::inline v0::detail
