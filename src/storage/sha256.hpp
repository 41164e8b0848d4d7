// Sha256Hash: SHA-256 of what is added, part by part; HMAC (RFC 2104) of one text.
#pragma once

#include <memory>
#include <string_view>

#include "aiserve/storage/object_store.hpp"

namespace aiserve::inline v0::detail {

class Sha256Hash {
 public:
  Sha256Hash();
  ~Sha256Hash();
  Sha256Hash(const Sha256Hash&) = delete;
  Sha256Hash& operator=(const Sha256Hash&) = delete;

  Sha256Hash& add(ByteView bytes);
  Sha256Hash& add(std::string_view text) { return add(std::as_bytes(std::span(text))); }
  /// Once.
  Sha256 finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Sha256 sha256(std::string_view text);
Sha256 hmac_sha256(std::string_view key, std::string_view text);
/// 64 lower-case digits.
std::string hex(const Sha256& hash);

}  // namespace aiserve::inline v0::detail
