#include "decide/ghost_table.hpp"

#include <algorithm>

namespace aiserve::inline v0::decide {
namespace {

constexpr std::uint16_t kUnusable = 0xffff;

// The bucket comes from the high bits, the print from the low ones.
std::uint16_t print_of(std::uint32_t hash) noexcept { return static_cast<std::uint16_t>(hash); }

}  // namespace

void GhostTable::resize(std::size_t window) {
  // Growing keeps what is known only if the buckets stay the same; ghosts are hints, so they go.
  const std::size_t buckets = window == 0 ? 0 : (window + 5) / 6;
  buckets_.assign(buckets, Bucket{});
  buckets_.shrink_to_fit();
  window_ = window;
  per_tick_ = std::max<std::size_t>(1, window / kTicksPerWindow);
}

GhostTable::Bucket& GhostTable::bucket(std::uint32_t hash) noexcept {
  return buckets_[(std::uint64_t{hash} * buckets_.size()) >> 32];
}

std::uint16_t GhostTable::age(const Ghost& ghost) const noexcept {
  if (ghost.time == 0) return kUnusable;
  return static_cast<std::uint16_t>(now_ - ghost.time);
}

void GhostTable::tick() noexcept {
  if (++in_tick_ < per_tick_) return;
  in_tick_ = 0;
  if (++now_ == 0) now_ = 1;  // 0 means none
}

void GhostTable::insert(std::uint32_t hash) noexcept {
  if (buckets_.empty()) return;
  tick();
  auto& ghosts = bucket(hash).ghosts;
  // Without branches, which nobody could foresee: the place is in the low bits.
  std::uint32_t oldest = 0;
  for (std::uint32_t i = 0; i < kGhosts; ++i) {
    oldest = std::max(oldest, std::uint32_t{age(ghosts[i])} * kGhosts + i);
  }
  ghosts[oldest % kGhosts] = {print_of(hash), now_};
}

bool GhostTable::take(std::uint32_t hash) noexcept {
  if (buckets_.empty()) return false;
  const std::size_t ticks = window_ / per_tick_;
  for (Ghost& ghost : bucket(hash).ghosts) {
    if (ghost.print != print_of(hash) || age(ghost) > ticks) continue;
    ghost.time = 0;
    return true;
  }
  return false;
}

void GhostTable::clear() noexcept { std::fill(buckets_.begin(), buckets_.end(), Bucket{}); }

}  // namespace aiserve::inline v0::decide
