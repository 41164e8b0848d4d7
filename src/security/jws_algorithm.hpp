// JwsAlgorithm: the signature algorithms of RFC 7518 section 3 and RFC 8037 that are taken. "none"
// is not among them, nor is anything that is not spelled exactly so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aiserve::inline v0::detail {

enum class JwsAlgorithm : std::uint8_t {
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa,
  hs256,
  hs384,
  hs512,
};
inline constexpr std::size_t kJwsAlgorithms = 13;

enum class KeyFamily : std::uint8_t { rsa, ec, okp, oct };

std::optional<JwsAlgorithm> parse_jws_algorithm(std::string_view name) noexcept;
std::string_view to_string(JwsAlgorithm algorithm) noexcept;
KeyFamily family_of(JwsAlgorithm algorithm) noexcept;
/// Of its hash: 256, 384 or 512; 0 of EdDSA, which has its own.
int hash_bits(JwsAlgorithm algorithm) noexcept;
bool is_pss(JwsAlgorithm algorithm) noexcept;
/// Whether `other` is of the same scheme with a hash that is no weaker.
bool covers(JwsAlgorithm algorithm, JwsAlgorithm other) noexcept;

}  // namespace aiserve::inline v0::detail
