#include "security/jws_algorithm.hpp"

#include <array>

namespace aiserve::inline v0::detail {
namespace {

struct Row {
  std::string_view name;
  KeyFamily family;
  int hash_bits;
};

constexpr std::array<Row, kJwsAlgorithms> kRows{{
    {"RS256", KeyFamily::rsa, 256},
    {"RS384", KeyFamily::rsa, 384},
    {"RS512", KeyFamily::rsa, 512},
    {"PS256", KeyFamily::rsa, 256},
    {"PS384", KeyFamily::rsa, 384},
    {"PS512", KeyFamily::rsa, 512},
    {"ES256", KeyFamily::ec, 256},
    {"ES384", KeyFamily::ec, 384},
    {"ES512", KeyFamily::ec, 512},
    {"EdDSA", KeyFamily::okp, 0},
    {"HS256", KeyFamily::oct, 256},
    {"HS384", KeyFamily::oct, 384},
    {"HS512", KeyFamily::oct, 512},
}};

constexpr const Row& row(JwsAlgorithm algorithm) noexcept {
  return kRows[static_cast<std::size_t>(algorithm)];
}

}  // namespace

std::optional<JwsAlgorithm> parse_jws_algorithm(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].name == name) return static_cast<JwsAlgorithm>(i);
  }
  return std::nullopt;
}

std::string_view to_string(JwsAlgorithm algorithm) noexcept { return row(algorithm).name; }
KeyFamily family_of(JwsAlgorithm algorithm) noexcept { return row(algorithm).family; }
int hash_bits(JwsAlgorithm algorithm) noexcept { return row(algorithm).hash_bits; }
bool is_pss(JwsAlgorithm algorithm) noexcept { return row(algorithm).name[0] == 'P'; }
bool covers(JwsAlgorithm algorithm, JwsAlgorithm other) noexcept {
  return family_of(algorithm) == family_of(other) && is_pss(algorithm) == is_pss(other) &&
         hash_bits(other) >= hash_bits(algorithm);
}

}  // namespace aiserve::inline v0::detail
