// Jwk: one key of a set (RFC 7517), as something to verify signatures with.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "security/verification_key.hpp"

namespace aiserve::inline v0::detail {

class Jwk {
 public:
  /// Errors: invalid_argument for a key that is not for verifying signatures, of a kind that isn't
  /// known, too weak, or none at all.
  static Result<Jwk> parse(const nlohmann::json& json);

  /// Empty: it has none.
  const std::string& id() const noexcept { return id_; }
  bool symmetric() const noexcept { return key_.family() == KeyFamily::oct; }
  /// Whether its kind and, if it has one, its `alg` allow it. The hash may be stronger than that
  /// of `alg`, as in the example of RFC 7520, section 4.2, not weaker.
  bool allows(JwsAlgorithm algorithm) const noexcept {
    return (!algorithm_ || covers(*algorithm_, algorithm)) && key_.fits(algorithm);
  }
  /// Precondition: allows(algorithm).
  bool verify(JwsAlgorithm algorithm, std::string_view text, std::string_view signature) const {
    return key_.verify(algorithm, text, signature);
  }

 private:
  Jwk(std::string id, std::optional<JwsAlgorithm> algorithm, VerificationKey key) noexcept
      : id_(std::move(id)), algorithm_(algorithm), key_(std::move(key)) {}

  std::string id_;
  std::optional<JwsAlgorithm> algorithm_;
  VerificationKey key_;
};

}  // namespace aiserve::inline v0::detail
