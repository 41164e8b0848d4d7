// JwkSet: the keys of an issuer (RFC 7517 section 5), immutable.
//
// Keys that cannot be used here (for encryption, of unknown kinds, too weak) are left out, as the
// RFC asks. The set as a whole is refused if it is ambiguous (two keys of one kind and id), if it
// holds private keys, or secrets beside public keys: then somebody is about to use the one as the
// other. *Thread safety:* any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "security/jwk.hpp"

namespace aiserve::inline v0::detail {

struct JwkSetRules {
  /// Whether it may hold shared secrets (kty oct).
  bool secrets = false;
  /// Entries, usable or not, beyond which it is refused.
  std::size_t max_keys = 100;
};

class JwkSet {
 public:
  /// Errors: malformed (no JSON), invalid_argument.
  static Result<JwkSet> parse(std::string_view text, const JwkSetRules& rules);

  /// The key of that id that allows the algorithm; without an id the only one that does. Null if
  /// there is none.
  const Jwk* find(std::string_view id, JwsAlgorithm algorithm) const noexcept;
  /// Whether there is a key of that id, which is not empty.
  bool knows(std::string_view id) const noexcept;
  std::size_t size() const noexcept { return keys_.size(); }
  /// What was left out and why, one line each.
  const std::vector<std::string>& left_out() const noexcept { return left_out_; }

 private:
  Result<void> add(Jwk key);

  std::vector<Jwk> keys_;
  std::vector<std::string> left_out_;
};

}  // namespace aiserve::inline v0::detail
