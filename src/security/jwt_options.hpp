// The options of a JwtVerifier, checked, and made into the rules of its parts.
#pragma once

#include <array>
#include <cstddef>

#include "aiserve/security/jwt_verifier.hpp"
#include "security/jws_algorithm.hpp"
#include "security/jwt_claims.hpp"
#include "security/key_ring.hpp"

namespace aiserve::inline v0::detail {

class AllowedAlgorithms {
 public:
  void allow(JwsAlgorithm algorithm) noexcept {
    allowed_[static_cast<std::size_t>(algorithm)] = true;
  }
  bool allows(JwsAlgorithm algorithm) const noexcept {
    return allowed_[static_cast<std::size_t>(algorithm)];
  }

 private:
  std::array<bool, kJwsAlgorithms> allowed_{};
};

struct JwtRules {
  AllowedAlgorithms algorithms;
  ClaimRules claims;
  std::size_t max_token = 0;
};

/// Throws ConfigError naming the option.
JwtRules checked_rules(const JwtVerifierOptions& options);
/// Precondition: the options are checked.
KeyRingOptions key_ring_options(Runtime& runtime, const JwtVerifierOptions& options);
/// The keys of the file. Throws ConfigError.
void load_first(KeyRing& ring, const JwtVerifierOptions& options);

}  // namespace aiserve::inline v0::detail
