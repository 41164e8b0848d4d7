#include "security/token_digest.hpp"

#include <stdexcept>

#include <openssl/crypto.h>

#include "security/openssl_ptr.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

// Fetched once and kept per thread: looking the algorithm up costs more than a short digest does.
class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex2(context_.get(), EVP_sha256(), nullptr) != 1) fail();
  }
  TokenDigest operator()(std::string_view text) {
    TokenDigest digest;
    const bool done = EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) == 1 &&
                      EVP_DigestUpdate(context_.get(), text.data(), text.size()) == 1 &&
                      EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1;
    if (!done) fail();
    return digest;
  }

 private:
  [[noreturn]] static void fail() { throw std::runtime_error("SHA-256 is not available"); }

  DigestContextPtr context_;
};

}  // namespace

TokenDigest token_digest(std::string_view token) {
  thread_local Hasher hasher;
  return hasher(token);
}

std::string to_hex(const TokenDigest& digest) {
  std::string text;
  text.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<TokenDigest> from_hex(std::string_view text) {
  TokenDigest digest{};
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t value = kDigits.find(text[i]);
    if (value == std::string_view::npos) return std::nullopt;
    const std::size_t before = digest[i / 2];
    digest[i / 2] = static_cast<unsigned char>(before << 4 | value);
  }
  return digest;
}

bool same_digest(const TokenDigest& a, const TokenDigest& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace aiserve::inline v0::detail
