// RefreshPauses: which refreshes failed a moment ago and are not to be tried again yet. Bounded:
// keys that fall on one place forget each other, which costs one refresh more.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "aiserve/cache/digest.hpp"
#include "aiserve/core/deadline.hpp"

namespace aiserve::inline v0::detail {

class RefreshPauses {
 public:
  bool paused(const Digest& digest, TimePoint now) const noexcept {
    const Place& place = places_[digest.low() % places_.size()];
    return place.key.load(std::memory_order_relaxed) == digest.high() &&
           now.time_since_epoch().count() < place.until.load(std::memory_order_relaxed);
  }
  void pause(const Digest& digest, TimePoint until) noexcept {
    Place& place = places_[digest.low() % places_.size()];
    place.key.store(digest.high(), std::memory_order_relaxed);
    place.until.store(until.time_since_epoch().count(), std::memory_order_relaxed);
  }

 private:
  struct Place {
    std::atomic<std::uint64_t> key{0};
    std::atomic<std::int64_t> until{INT64_MIN};
  };
  std::array<Place, 256> places_;
};

}  // namespace aiserve::inline v0::detail
