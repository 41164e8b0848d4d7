// The caches that bench cache compares, behind two functions. Keys have 16 bytes, values 256, and
// every cache keeps a copy of its own of what is put.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

using CacheKey16 = std::array<char, 16>;
inline constexpr std::size_t kCacheValue = 256;

inline std::string_view text(const CacheKey16& key) noexcept { return {key.data(), key.size()}; }

/// Reads a value as a user would: one word of each of its cache lines.
inline std::uint64_t use_value(const char* value) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < kCacheValue; at += 64) {
    std::uint64_t word;
    std::memcpy(&word, value + at, sizeof(word));
    sum += word;
  }
  return sum;
}

/// RocksDB's caches, filled and asked like its block cache does.
class RocksCache {
 public:
  enum class Kind { lru, hyper_clock };
  /// Capacity for so many entries of kCacheValue.
  RocksCache(Kind kind, std::size_t entries);
  ~RocksCache();

  bool get(std::uint32_t, const CacheKey16& key, std::uint64_t& sum);
  void put(std::uint32_t, const CacheKey16& key, std::string_view value);
  std::size_t entries() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bench
