// TenantShare: who gives when a cache that tenants share is full. Pure.
//
// Nobody is pushed below its guarantee by others. Of what is not guaranteed, the tenant gives that
// has most of it for its weight and its need; need is the share of its inserts that were evicted
// only a little earlier (ghost hits), so that room moves to whom it would bring hits: the ghost is
// the shadow queue of Cliffhanger (Cidon et al., NSDI 2016), guarantee and pool are those of
// Memshare (Cidon et al., ATC 2017).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace aiserve::inline v0::decide {

struct ShareView {
  /// Bytes. A part of the cache that decides alone gives its own, times the number of parts: the
  /// parts stay balanced then, each like the whole.
  std::size_t used = 0;
  std::size_t guarantee = 0;
  double weight = 1;          ///< > 0
  double ghost_hit_rate = 0;  ///< 0 to 1
  /// Bytes of the whole cache that others may still take from it.
  std::size_t spare = 0;
  /// Bytes of the entry it would lose; 0: it has none here.
  std::size_t next = 0;
};

/// (used - guarantee) / (weight * (1 + ghost_hit_rate)); negative below the guarantee.
double pressure(const ShareView& tenant) noexcept;

/// True if others may take the next entry: after it, the guarantee still holds.
inline bool may_lose(const ShareView& tenant) noexcept {
  return tenant.next > 0 && tenant.spare >= tenant.next;
}

/// True if `tenant`, who needs room, may as well give it: it is under nearly the highest pressure
/// there is, `most`. To move room between tenants costs more than it is worth then.
inline bool gives_itself(const ShareView& tenant, double most) noexcept {
  constexpr double kNearly = 0.97;
  return most > 0 && may_lose(tenant) && pressure(tenant) >= kNearly * most;
}

/// Whose entry goes: the one under the highest pressure that may lose one; the first of equals.
std::optional<std::size_t> choose_victim(std::span<const ShareView> tenants) noexcept;

/// How often the evicted come back: counts that fade, so that the rate follows the load.
class GhostRate {
 public:
  void inserted(bool was_ghost) noexcept {
    inserts_ += 1;
    ghosts_ += was_ghost ? 1 : 0;
    if (inserts_ >= kHalfLife) {
      inserts_ /= 2;
      ghosts_ /= 2;
    }
  }
  /// 0 to 1; a few inserts say little.
  double rate() const noexcept {
    return static_cast<double>(ghosts_) / static_cast<double>(inserts_ + kPrior);
  }

 private:
  static constexpr std::uint32_t kHalfLife = 1024;
  static constexpr std::uint32_t kPrior = 16;

  std::uint32_t inserts_ = 0;
  std::uint32_t ghosts_ = 0;
};

}  // namespace aiserve::inline v0::decide
