#include "cache/invalidations.hpp"

#include <algorithm>

namespace aiserve::inline v0::detail {

// The cells are written before the number is published: who reads the number sees the cells, so an
// entry that was found alive may take the number as its new stamp.
void Invalidations::invalidate(CacheLabel label) noexcept {
  advance([&](std::uint32_t number) {
    (*cells_)[label & 0xffff].store(number, std::memory_order_relaxed);
    (*cells_)[label >> 16].store(number, std::memory_order_relaxed);
  });
}

void Invalidations::invalidate_all() noexcept {
  advance([&](std::uint32_t number) { all_.store(number, std::memory_order_relaxed); });
}

bool Invalidations::dead(const CacheEntry& entry) const noexcept {
  if (all_.load(std::memory_order_relaxed) > entry.stamp) return true;
  for (std::size_t i = 0; i < entry.labels(); ++i) {
    if (newer(entry.label(i), entry.stamp)) return true;
  }
  return false;
}

bool Invalidations::dead(std::uint32_t stamp, std::span<const CacheLabel> labels) const noexcept {
  if (stamp >= this->stamp()) return false;
  if (all_.load(std::memory_order_relaxed) > stamp) return true;
  return std::any_of(labels.begin(), labels.end(),
                     [&](CacheLabel label) { return newer(label, stamp); });
}

}  // namespace aiserve::inline v0::detail
