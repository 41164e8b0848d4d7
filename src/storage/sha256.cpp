#include "storage/sha256.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace aiserve::inline v0::detail {
namespace {

void require(bool worked) {
  if (!worked) throw std::runtime_error("SHA-256 is not available");
}

}  // namespace

struct Sha256Hash::Impl {
  Impl() : context(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    require(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context;
};

Sha256Hash::Sha256Hash() : impl_(std::make_unique<Impl>()) {}
Sha256Hash::~Sha256Hash() = default;

Sha256Hash& Sha256Hash::add(ByteView bytes) {
  require(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1);
  return *this;
}

Sha256 Sha256Hash::finish() {
  Sha256 hash{};
  auto* out = reinterpret_cast<unsigned char*>(hash.data());
  require(EVP_DigestFinal_ex(impl_->context.get(), out, nullptr) == 1);
  return hash;
}

Sha256 sha256(std::string_view text) { return Sha256Hash().add(text).finish(); }

Sha256 hmac_sha256(std::string_view key, std::string_view text) {
  Sha256 hash{};
  auto* out = reinterpret_cast<unsigned char*>(hash.data());
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  // A null key would mean the key of the call before.
  const char* secret = key.empty() ? "" : key.data();
  require(HMAC(EVP_sha256(), secret, static_cast<int>(key.size()), data, text.size(), out,
               nullptr) != nullptr);
  return hash;
}

std::string hex(const Sha256& hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * hash.size());
  for (const std::byte byte : hash) {
    text += kDigits[std::to_integer<std::size_t>(byte >> 4)];
    text += kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

}  // namespace aiserve::inline v0::detail
