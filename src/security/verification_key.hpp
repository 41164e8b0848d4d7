// VerificationKey: the mathematics of one public key (or shared secret), on OpenSSL. What it is
// allowed to verify is decided by Jwk.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "aiserve/core/result.hpp"
#include "security/jws_algorithm.hpp"
#include "security/openssl_ptr.hpp"

namespace aiserve::inline v0::detail {

/// Of the families but RSA: which of their kinds.
enum class Curve : std::uint8_t { none, p256, p384, p521, ed25519, ed448 };

class VerificationKey {
 public:
  // Errors of these: invalid_argument. All numbers are big-endian bytes.

  /// 2048 to 8192 bits, with an odd exponent of 3 to 2^32 - 1: larger ones only cost time.
  static Result<VerificationKey> rsa(std::string_view modulus, std::string_view exponent);
  /// A point that lies on the curve; coordinates of full length (RFC 7518 section 6.2.1.2).
  static Result<VerificationKey> ec(Curve curve, std::string_view x, std::string_view y);
  static Result<VerificationKey> okp(Curve curve, std::string_view point);
  /// At least 32 bytes (RFC 7518 section 3.2).
  static Result<VerificationKey> secret(std::string bytes);

  KeyFamily family() const noexcept { return family_; }
  /// Whether a key of this kind and size can be used with it at all.
  bool fits(JwsAlgorithm algorithm) const noexcept;
  /// True if it is the signature of `text`. Precondition: fits(algorithm). Any thread.
  bool verify(JwsAlgorithm algorithm, std::string_view text, std::string_view signature) const;

 private:
  VerificationKey(KeyFamily family, Curve curve) noexcept : family_(family), curve_(curve) {}
  static Result<VerificationKey> finished(VerificationKey key);
  bool verify_hash(JwsAlgorithm algorithm, std::string_view text, std::string_view signature) const;
  bool verify_eddsa(std::string_view text, std::string_view signature) const;
  bool verify_hmac(JwsAlgorithm algorithm, std::string_view text, std::string_view signature) const;

  KeyFamily family_;
  Curve curve_;
  std::size_t signature_size_ = 0;  // exactly
  std::string secret_;
  KeyPtr key_;
  // Ready to be copied, one per algorithm that fits: setting one up costs as much as a third of an
  // RSA verification.
  std::array<KeyContextPtr, kJwsAlgorithms> ready_;
};

}  // namespace aiserve::inline v0::detail
