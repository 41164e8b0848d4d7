// Invalidations: what has been declared dead, by label, in O(1) and bounded memory.
//
// Every invalidation has a number; an entry carries the number of the last one before its value
// began to be computed (its stamp). A label is two of 65,536 cells, each of which holds the number
// of the last invalidation that touched it; an entry is dead if both cells of one of its labels are
// newer than its stamp. Labels that share both cells die together, which costs a miss: n
// invalidations since an entry was stored kill it wrongly with a probability of about (n / 32768)^2
// per label.
// *Thread safety:* any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "cache/entry.hpp"

namespace aiserve::inline v0::detail {

class Invalidations {
 public:
  /// For what is computed from now on. Take it before the computation begins: what is invalidated
  /// meanwhile shall not be stored as if it were new.
  std::uint32_t stamp() const noexcept { return now_.load(std::memory_order_acquire); }

  void invalidate(CacheLabel label) noexcept;
  void invalidate_all() noexcept;
  /// The same for what callers keep themselves: note(number) is called before the number counts.
  template <class Note>
  void advance(const Note& note) noexcept {
    const std::scoped_lock lock(mutex_);
    const std::uint32_t number = now_.load(std::memory_order_relaxed) + 1;
    note(number);
    now_.store(number, std::memory_order_release);
  }

  /// True if one of the entry's labels was invalidated after its stamp.
  bool dead(const CacheEntry& entry) const noexcept;
  /// The same for what is no entry yet.
  bool dead(std::uint32_t stamp, std::span<const CacheLabel> labels) const noexcept;

 private:
  using Cell = std::atomic<std::uint32_t>;
  static constexpr std::size_t kCells = 1 << 16;

  bool newer(CacheLabel label, std::uint32_t stamp) const noexcept {
    return (*cells_)[label & 0xffff].load(std::memory_order_relaxed) > stamp &&
           (*cells_)[label >> 16].load(std::memory_order_relaxed) > stamp;
  }

  std::mutex mutex_;  // one invalidation at a time
  std::atomic<std::uint32_t> now_{1};
  std::atomic<std::uint32_t> all_{0};
  std::unique_ptr<std::array<Cell, kCells>> cells_ = std::make_unique<std::array<Cell, kCells>>();
};

}  // namespace aiserve::inline v0::detail
