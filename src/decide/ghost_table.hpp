// GhostTable: which fingerprints were evicted a little while ago. Bounded, 4 bytes per fingerprint:
// 16 bits of it and 16 bits of when, in buckets of eight. Errs both ways, rarely: a fingerprint may
// be taken for another (8 in 65,536 per look-up) or be displaced early by a crowded bucket. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace aiserve::inline v0::decide {

class GhostTable {
 public:
  /// Remembers about the last `window` insertions; 0: none.
  void resize(std::size_t window);
  std::size_t window() const noexcept { return window_; }
  std::size_t memory() const noexcept { return buckets_.capacity() * sizeof(Bucket); }

  void insert(std::uint32_t hash) noexcept;
  /// True if it was there; it is not any more.
  bool take(std::uint32_t hash) noexcept;
  void clear() noexcept;
  /// Begins to load what insert() and take() read.
  void prefetch(std::uint32_t hash) const noexcept {
    __builtin_prefetch(buckets_.data() + ((std::uint64_t{hash} * buckets_.size()) >> 32));
  }

 private:
  struct Ghost {
    std::uint16_t print = 0;
    std::uint16_t time = 0;  // in ticks of the table; 0: none
  };
  static constexpr std::uint32_t kGhosts = 8;
  struct alignas(32) Bucket {
    std::array<Ghost, kGhosts> ghosts{};
  };
  static constexpr std::uint32_t kTicksPerWindow = 256;

  Bucket& bucket(std::uint32_t hash) noexcept;
  std::uint16_t age(const Ghost& ghost) const noexcept;
  void tick() noexcept;

  std::vector<Bucket> buckets_;
  std::size_t window_ = 0;
  std::size_t per_tick_ = 1;
  std::size_t in_tick_ = 0;
  std::uint16_t now_ = 1;
};

}  // namespace aiserve::inline v0::decide
