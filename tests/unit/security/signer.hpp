// Signer: keys made for a test, as JWKs, and tokens signed with them: what an issuer does.
#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "security/base64url.hpp"
#include "security/openssl_ptr.hpp"

namespace aiserve::testing {

using detail::from_base64url;
using detail::to_base64url;
using nlohmann::json;

inline std::string number_bytes(const EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* raw = nullptr;
  EVP_PKEY_get_bn_param(key, name, &raw);
  const detail::BignumPtr value(raw);
  std::string bytes(static_cast<std::size_t>(size != 0 ? size : BN_num_bytes(value.get())), '\0');
  BN_bn2binpad(value.get(), reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  return bytes;
}

class Signer {
 public:
  static Signer rsa(std::string id, std::string algorithm = "RS256", unsigned bits = 2048) {
    return Signer(std::move(id), std::move(algorithm), EVP_RSA_gen(bits));
  }
  static Signer ec(std::string id, std::string algorithm = "ES256") {
    const char* const curve = algorithm == "ES256"   ? "P-256"
                              : algorithm == "ES384" ? "P-384"
                                                     : "P-521";
    return Signer(std::move(id), std::move(algorithm), EVP_EC_gen(curve));
  }
  static Signer eddsa(std::string id) {
    return Signer(std::move(id), "EdDSA", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  static Signer secret(std::string id, std::string bytes, std::string algorithm = "HS256") {
    Signer signer(std::move(id), std::move(algorithm), nullptr);
    signer.secret_ = std::move(bytes);
    return signer;
  }

  const std::string& id() const noexcept { return id_; }
  EVP_PKEY* key() const noexcept { return key_.get(); }

  json jwk() const {
    json key{{"kid", id_}, {"alg", algorithm_}, {"use", "sig"}};
    if (!secret_.empty()) {
      key["kty"] = "oct";
      key["k"] = to_base64url(secret_);
    } else if (algorithm_ == "EdDSA") {
      std::string point(32, '\0');
      std::size_t size = point.size();
      EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(point.data()),
                                  &size);
      key.update({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", to_base64url(point)}});
    } else if (algorithm_[0] == 'E') {
      key.update({{"kty", "EC"},
                  {"crv", curve()},
                  {"x", to_base64url(number_bytes(key_.get(), "qx", coordinate()))},
                  {"y", to_base64url(number_bytes(key_.get(), "qy", coordinate()))}});
    } else {
      key.update({{"kty", "RSA"},
                  {"n", to_base64url(number_bytes(key_.get(), "n"))},
                  {"e", to_base64url(number_bytes(key_.get(), "e"))}});
    }
    return key;
  }

  /// With alg and kid unless `header` says otherwise.
  std::string sign(const json& claims, json header = json::object()) const {
    if (!header.contains("alg")) header["alg"] = algorithm_;
    if (!header.contains("kid")) header["kid"] = id_;
    return sign_text(header.dump(), claims.dump());
  }
  /// Of texts as they are, whatever they say.
  std::string sign_text(std::string_view header, std::string_view claims) const {
    const std::string text = to_base64url(header) + '.' + to_base64url(claims);
    return text + '.' + to_base64url(signature(text));
  }

  std::string signature(const std::string& text) const {
    if (!secret_.empty()) return mac(text);
    const std::string hash = algorithm_ == "EdDSA" ? "" : "SHA" + algorithm_.substr(2);
    const detail::DigestContextPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    EVP_DigestSignInit_ex(context.get(), &settings, hash.empty() ? nullptr : hash.c_str(), nullptr,
                          nullptr, key_.get(), nullptr);
    if (algorithm_[0] == 'P') {
      EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
    }
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, data, text.size());
    std::string bytes(size, '\0');
    auto* out = reinterpret_cast<unsigned char*>(bytes.data());
    if (EVP_DigestSign(context.get(), out, &size, data, text.size()) != 1) {
      throw std::runtime_error("cannot sign");
    }
    bytes.resize(size);
    return algorithm_.starts_with("ES") ? pair_of(bytes) : bytes;
  }

 private:
  Signer(std::string id, std::string algorithm, EVP_PKEY* key)
      : id_(std::move(id)), algorithm_(std::move(algorithm)), key_(key) {}

  int coordinate() const { return algorithm_ == "ES256" ? 32 : algorithm_ == "ES384" ? 48 : 66; }
  const char* curve() const {
    return algorithm_ == "ES256" ? "P-256" : algorithm_ == "ES384" ? "P-384" : "P-521";
  }
  std::string mac(const std::string& text) const {
    std::string bytes(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    const EVP_MD* const md = EVP_get_digestbyname(("SHA" + algorithm_.substr(2)).c_str());
    HMAC(md, secret_.data(), static_cast<int>(secret_.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(bytes.data()), &size);
    bytes.resize(size);
    return bytes;
  }
  // JWS wants R and S side by side.
  std::string pair_of(const std::string& der) const {
    const auto* in = reinterpret_cast<const unsigned char*>(der.data());
    const detail::EcdsaSignaturePtr pair(
        d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())));
    std::string bytes(2 * static_cast<std::size_t>(coordinate()), '\0');
    auto* out = reinterpret_cast<unsigned char*>(bytes.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, coordinate());
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + coordinate(), coordinate());
    return bytes;
  }

  std::string id_;
  std::string algorithm_;
  std::string secret_;
  detail::KeyPtr key_;
};

template <class... Signers>
std::string jwks(const Signers&... signers) {
  return json{{"keys", json::array({signers.jwk()...})}}.dump();
}

/// Made once: an RSA key takes a while.
inline const Signer& rsa_signer() {
  static const Signer signer = Signer::rsa("rsa");
  return signer;
}
inline const Signer& ec_signer() {
  static const Signer signer = Signer::ec("ec");
  return signer;
}

/// What a good token says, at `now` seconds since 1970.
inline json good_claims(std::int64_t now) {
  return {{"iss", "https://id.example"},
          {"aud", "classifier"},
          {"sub", "ada"},
          {"exp", now + 600},
          {"nbf", now - 10},
          {"iat", now - 10},
          {"scope", "infer train"}};
}

}  // namespace aiserve::testing
