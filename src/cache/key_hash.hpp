// KeyHash: a keyed 64-bit hash, its key drawn per cache, so that nobody can prepare keys that meet.
//
// Folded multiplication as in wyhash (Wang Yi), but every secret word is random: in wyhash an input
// that equals a published secret makes a product zero and the rest of the input irrelevant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/random.hpp"

namespace aiserve::inline v0::detail {

class KeyHash {
 public:
  KeyHash() noexcept {
    for (std::uint64_t& word : secret_) word = random_u64() | 1;
  }
  explicit KeyHash(const std::array<std::uint64_t, 4>& secret) noexcept : secret_(secret) {}

  std::uint64_t operator()(std::uint64_t seed, std::string_view bytes) const noexcept {
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    seed ^= secret_[0];
    for (; left > 16; left -= 16, at += 16) {
      seed = fold(word(at) ^ secret_[1], word(at + 8) ^ seed);
    }
    const auto [low, high] = tail(at, left);
    return fold(secret_[3] ^ bytes.size(), fold(low ^ secret_[2], high ^ seed));
  }

 private:
  struct Tail {
    std::uint64_t low;
    std::uint64_t high;
  };
  __extension__ using Product = unsigned __int128;

  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    const Product product = static_cast<Product>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  static std::uint64_t word(const char* at) noexcept {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  }
  static std::uint64_t half(const char* at) noexcept {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  }
  // 0 to 16 bytes, each of which counts.
  static Tail tail(const char* at, std::size_t left) noexcept {
    if (left >= 8) return {word(at), word(at + left - 8)};
    if (left >= 4) return {half(at), half(at + left - 4)};
    if (left == 0) return {0, 0};
    const auto byte = [at](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(at[i]));
    };
    return {byte(0) << 16 | byte(left / 2) << 8 | byte(left - 1), 0};
  }

  std::array<std::uint64_t, 4> secret_{};
};

}  // namespace aiserve::inline v0::detail
