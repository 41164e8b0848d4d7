/// Deadline: a point on the steady clock by which something must be done; unreachable by default.
///
/// Arithmetic saturates. Between hosts a deadline travels as remaining milliseconds.
/// *Thread safety:* a value.
///
///     Deadline d = Deadline::after(clock.now(), 200ms);
///     if (d.expired(clock.now())) return Error(Errc::deadline_exceeded, "too late");
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>

namespace aiserve::inline v0 {

using Duration = std::chrono::nanoseconds;
/// A point on the (injected) monotonic clock.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// A point on the wall clock; for databases, tokens and logs only.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

class Deadline {
 public:
  /// Never reached.
  constexpr Deadline() noexcept = default;
  constexpr explicit Deadline(TimePoint at) noexcept : at_(at) {}

  static constexpr Deadline never() noexcept { return {}; }
  /// now + delay; negative delays are already expired, huge ones are never reached.
  template <class Rep, class Period>
  static constexpr Deadline after(TimePoint now,
                                  std::chrono::duration<Rep, Period> delay) noexcept {
    // In floating point, where min() - now cannot overflow.
    const double at = static_cast<double>(now.time_since_epoch().count()) +
                      std::chrono::duration<double, std::nano>(delay).count();
    if (at >= static_cast<double>(Duration::max().count())) return never();
    if (at <= static_cast<double>(Duration::min().count())) return Deadline(TimePoint::min());
    return Deadline(now + std::chrono::duration_cast<Duration>(delay));
  }

  constexpr bool reachable() const noexcept { return at_ != TimePoint::max(); }
  constexpr bool expired(TimePoint now) const noexcept { return reachable() && now >= at_; }
  constexpr TimePoint at() const noexcept { return at_; }
  /// Never negative; Duration::max() when unreachable.
  constexpr Duration remaining(TimePoint now) const noexcept {
    if (!reachable()) return Duration::max();
    return at_ > now ? at_ - now : Duration::zero();
  }
  constexpr Deadline earlier(Deadline other) const noexcept {
    return Deadline(std::min(at_, other.at_));
  }
  constexpr Deadline later(Deadline other) const noexcept {
    return Deadline(std::max(at_, other.at_));
  }

  friend constexpr auto operator<=>(Deadline a, Deadline b) noexcept = default;

 private:
  TimePoint at_ = TimePoint::max();
};

}  // namespace aiserve::inline v0
