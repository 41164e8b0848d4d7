// SipHash over 64-bit words with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast
// short-input PRF", 2012; the 128-bit variant of the authors' reference code).
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace aiserve::inline v0::detail {

/// CompressionRounds per word, FinalRounds per half of the output.
template <int CompressionRounds, int FinalRounds>
class SipHash {
 public:
  using State = std::array<std::uint64_t, 4>;

  static constexpr State begin(std::uint64_t key0, std::uint64_t key1) noexcept {
    return {0x736f6d6570736575 ^ key0, 0x646f72616e646f6d ^ key1 ^ 0xee, 0x6c7967656e657261 ^ key0,
            0x7465646279746573 ^ key1};
  }
  static constexpr void word(State& state, std::uint64_t value) noexcept {
    state[3] ^= value;
    rounds<CompressionRounds>(state);
    state[0] ^= value;
  }
  /// `last`: the bytes that fill no word, and the length modulo 256 in the highest byte.
  static constexpr std::array<std::uint64_t, 2> finish(State state, std::uint64_t last) noexcept {
    word(state, last);
    state[2] ^= 0xee;
    rounds<FinalRounds>(state);
    const std::uint64_t first = folded(state);
    state[1] ^= 0xdd;
    rounds<FinalRounds>(state);
    return {first, folded(state)};
  }

 private:
  static constexpr std::uint64_t folded(const State& v) noexcept {
    return v[0] ^ v[1] ^ v[2] ^ v[3];
  }
  template <int Count>
  static constexpr void rounds(State& v) noexcept {
    for (int i = 0; i < Count; ++i) {
      v[0] += v[1];
      v[2] += v[3];
      v[1] = std::rotl(v[1], 13) ^ v[0];
      v[3] = std::rotl(v[3], 16) ^ v[2];
      v[0] = std::rotl(v[0], 32);
      v[2] += v[1];
      v[0] += v[3];
      v[1] = std::rotl(v[1], 17) ^ v[2];
      v[3] = std::rotl(v[3], 21) ^ v[0];
      v[2] = std::rotl(v[2], 32);
    }
  }
};

}  // namespace aiserve::inline v0::detail
