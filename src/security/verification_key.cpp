#include "security/verification_key.hpp"

#include <utility>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "security/roca.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr std::size_t kMinSecret = 32;

Error unusable(std::string why) { return Error(Errc::invalid_argument, std::move(why)); }

const unsigned char* bytes(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

BignumPtr number(std::string_view text) {
  return BignumPtr(BN_bin2bn(bytes(text), static_cast<int>(text.size()), nullptr));
}

// Fetched once: implicit fetching costs more than hashing a token.
const EVP_MD* digest_of(int bits) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  return bits == 256 ? sha256 : bits == 384 ? sha384 : sha512;
}

struct CurveRow {
  const char* group;
  int type;                // of an OKP key
  std::size_t coordinate;  // bytes
  std::size_t signature;   // bytes
  int hash_bits;           // of the algorithm that goes with it
};

const CurveRow& row(Curve curve) noexcept {
  static constexpr std::array<CurveRow, 6> kRows{{{"", 0, 0, 0, -1},
                                                  {"P-256", 0, 32, 64, 256},
                                                  {"P-384", 0, 48, 96, 384},
                                                  {"P-521", 0, 66, 132, 512},
                                                  {"", EVP_PKEY_ED25519, 32, 64, 0},
                                                  {"", EVP_PKEY_ED448, 57, 114, 0}}};
  return kRows[static_cast<std::size_t>(curve)];
}

KeyPtr from_parameters(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  }
  return KeyPtr(key);
}

bool sound(EVP_PKEY* key) {
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_public_check(context.get()) == 1;
}

KeyContextPtr make_ready(EVP_PKEY* key, JwsAlgorithm algorithm) {
  KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const EVP_MD* const digest = digest_of(hash_bits(algorithm));
  bool good = context && EVP_PKEY_verify_init(context.get()) == 1;
  if (good && family_of(algorithm) == KeyFamily::rsa) {
    const int padding = is_pss(algorithm) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    good = EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) == 1;
  }
  good = good && EVP_PKEY_CTX_set_signature_md(context.get(), digest) == 1;
  if (good && is_pss(algorithm)) {
    // The salt is as long as the hash, and the hash is that of the mask (RFC 7518 section 3.5).
    good = EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), digest) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  return good ? std::move(context) : nullptr;
}

// JWS has R and S side by side, OpenSSL wants them in DER.
std::string as_der(std::string_view signature) {
  const std::size_t half = signature.size() / 2;
  BignumPtr r = number(signature.substr(0, half));
  BignumPtr s = number(signature.substr(half));
  const EcdsaSignaturePtr pair(ECDSA_SIG_new());
  if (!r || !s || !pair) return {};
  if (ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

}  // namespace

Result<VerificationKey> VerificationKey::rsa(std::string_view modulus, std::string_view exponent) {
  if (modulus.size() > kMaxRsaBits / 8 + 1 || exponent.size() > 5) {
    return unusable("an RSA key that is too large");
  }
  const BignumPtr n = number(modulus);
  const BignumPtr e = number(exponent);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder) return Error();
  const int bits = BN_num_bits(n.get());
  if (bits < kMinRsaBits) return unusable("an RSA key of less than 2048 bits");
  if (bits > kMaxRsaBits || BN_num_bits(e.get()) > 32) {
    return unusable("an RSA key that is too large");
  }
  if (BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) || BN_is_odd(n.get()) == 0) {
    return unusable("an RSA key that is none");
  }
  if (has_roca_fingerprint(n.get())) return unusable("an RSA key of a broken generator");
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  VerificationKey key(KeyFamily::rsa, Curve::none);
  key.key_ = from_parameters("RSA", builder.get());
  key.signature_size_ = static_cast<std::size_t>(bits + 7) / 8;
  return finished(std::move(key));
}

Result<VerificationKey> VerificationKey::ec(Curve curve, std::string_view x, std::string_view y) {
  const CurveRow& its = row(curve);
  if (x.size() != its.coordinate || y.size() != its.coordinate) {
    return unusable("an EC key with coordinates of the wrong length");
  }
  const std::string point = '\x04' + std::string(x) + std::string(y);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder) return Error();
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, its.group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  VerificationKey key(KeyFamily::ec, curve);
  key.key_ = from_parameters("EC", builder.get());
  key.signature_size_ = its.signature;
  if (key.key_ && !sound(key.key_.get())) key.key_.reset();
  return finished(std::move(key));
}

Result<VerificationKey> VerificationKey::okp(Curve curve, std::string_view point) {
  const CurveRow& its = row(curve);
  if (point.size() != its.coordinate) return unusable("an OKP key of the wrong length");
  VerificationKey key(KeyFamily::okp, curve);
  key.key_.reset(EVP_PKEY_new_raw_public_key(its.type, nullptr, bytes(point), point.size()));
  key.signature_size_ = its.signature;
  return finished(std::move(key));
}

Result<VerificationKey> VerificationKey::secret(std::string bytes) {
  if (bytes.size() < kMinSecret) return unusable("a secret of less than 256 bits");
  VerificationKey key(KeyFamily::oct, Curve::none);
  key.secret_ = std::move(bytes);
  return key;
}

Result<VerificationKey> VerificationKey::finished(VerificationKey key) {
  ERR_clear_error();
  if (!key.key_) return unusable("a key that is none");
  for (std::size_t i = 0; i < kJwsAlgorithms; ++i) {
    const auto algorithm = static_cast<JwsAlgorithm>(i);
    if (key.family_ == KeyFamily::okp || !key.fits(algorithm)) continue;
    key.ready_[i] = make_ready(key.key_.get(), algorithm);
    if (!key.ready_[i]) return unusable("a key that cannot be used");
  }
  return key;
}

bool VerificationKey::fits(JwsAlgorithm algorithm) const noexcept {
  if (family_of(algorithm) != family_) return false;
  switch (family_) {
    case KeyFamily::rsa:
      return true;
    case KeyFamily::ec:
    case KeyFamily::okp:
      return hash_bits(algorithm) == row(curve_).hash_bits;
    case KeyFamily::oct:
      break;
  }
  return 8 * secret_.size() >= static_cast<std::size_t>(hash_bits(algorithm));
}

bool VerificationKey::verify(JwsAlgorithm algorithm, std::string_view text,
                             std::string_view signature) const {
  if (family_ == KeyFamily::oct) return verify_hmac(algorithm, text, signature);
  if (signature.size() != signature_size_) return false;
  const bool good = family_ == KeyFamily::okp ? verify_eddsa(text, signature)
                                              : verify_hash(algorithm, text, signature);
  if (!good) ERR_clear_error();
  return good;
}

bool VerificationKey::verify_hash(JwsAlgorithm algorithm, std::string_view text,
                                  std::string_view signature) const {
  const KeyContextPtr context(EVP_PKEY_CTX_dup(ready_[static_cast<std::size_t>(algorithm)].get()));
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  const EVP_MD* const digest = digest_of(hash_bits(algorithm));
  if (!context || EVP_Digest(text.data(), text.size(), hash.data(), &size, digest, nullptr) != 1) {
    return false;
  }
  std::string der;
  if (family_ == KeyFamily::ec) signature = der = as_der(signature);
  return EVP_PKEY_verify(context.get(), bytes(signature), signature.size(), hash.data(), size) == 1;
}

bool VerificationKey::verify_eddsa(std::string_view text, std::string_view signature) const {
  const DigestContextPtr context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text),
                          text.size()) == 1;
}

bool VerificationKey::verify_hmac(JwsAlgorithm algorithm, std::string_view text,
                                  std::string_view signature) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  const EVP_MD* const digest = digest_of(hash_bits(algorithm));
  if (HMAC(digest, secret_.data(), static_cast<int>(secret_.size()), bytes(text), text.size(),
           mac.data(), &size) == nullptr) {
    return false;
  }
  return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

}  // namespace aiserve::inline v0::detail
