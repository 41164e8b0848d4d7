// CoarseClock: a Clock that is cheap enough to be read for every look-up. In the place of the
// steady clock it reads the time of the kernel's last tick, 1 to 10 ms ago: 5 ns instead of 25.
// Every other clock, such as one that a test moves, is read as it is.
#pragma once

#include <ctime>

#include "aiserve/core/clock.hpp"

namespace aiserve::inline v0::detail {

class CoarseClock {
 public:
  explicit CoarseClock(const Clock& clock) noexcept
      : clock_(clock), steady_(&clock == &Clock::steady()) {}

  TimePoint now() const noexcept {
#ifdef CLOCK_MONOTONIC_COARSE
    timespec at{};
    if (steady_ && clock_gettime(CLOCK_MONOTONIC_COARSE, &at) == 0) {
      return TimePoint(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
    }
#endif
    return clock_.now();
  }

 private:
  const Clock& clock_;
  [[maybe_unused]] const bool steady_;
};

}  // namespace aiserve::inline v0::detail
