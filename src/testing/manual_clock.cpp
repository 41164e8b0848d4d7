#include "aiserve/testing/manual_clock.hpp"

#include <utility>

namespace aiserve::inline v0::testing {
namespace {
constexpr std::chrono::hours kStart{1000};
constexpr std::chrono::seconds kWallStart{1'767'225'600};  // 2026-01-01T00:00:00Z
}  // namespace

ManualClock::ManualClock() noexcept : now_(kStart), wall_(kWallStart) {}

TimePoint ManualClock::now() const noexcept {
  const std::scoped_lock lock(mutex_);
  return now_;
}

WallTime ManualClock::wall_now() const noexcept {
  const std::scoped_lock lock(mutex_);
  return wall_;
}

void ManualClock::listen(const void* owner, std::function<void()> moved) {
  const std::scoped_lock lock(mutex_);
  listeners_[owner] = std::move(moved);
}

void ManualClock::forget(const void* owner) noexcept {
  const std::scoped_lock lock(mutex_);
  listeners_.erase(owner);
}

void ManualClock::advance(Duration by) {
  std::map<const void*, std::function<void()>> listeners;
  {
    const std::scoped_lock lock(mutex_);
    now_ += by;
    wall_ += by;
    listeners = listeners_;
  }
  for (const auto& [owner, moved] : listeners) moved();
}

void ManualClock::shift_wall(Duration by) noexcept {
  const std::scoped_lock lock(mutex_);
  wall_ += by;
}

}  // namespace aiserve::inline v0::testing
