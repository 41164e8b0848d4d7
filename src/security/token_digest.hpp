// TokenDigest: SHA-256 of a token: what tables of tokens and keys are indexed by, so that no secret
// lies in them.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0::detail {

using TokenDigest = std::array<unsigned char, 32>;

TokenDigest token_digest(std::string_view token);
/// 64 lower-case digits, and back.
std::string to_hex(const TokenDigest& digest);
std::optional<TokenDigest> from_hex(std::string_view text);
/// In a time that tells nothing of where they differ.
bool same_digest(const TokenDigest& a, const TokenDigest& b) noexcept;

/// The digest is as good a hash as there is.
struct TokenDigestHash {
  std::size_t operator()(const TokenDigest& digest) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};

}  // namespace aiserve::inline v0::detail
