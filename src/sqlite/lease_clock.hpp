// LeaseClock: time for leases that several processes of one machine compare: milliseconds since the
// machine booted, sleep included, together with the identity of that boot. Setting the wall clock
// does not move it, and a lease of another boot has certainly ended: its holder died with it.
#pragma once

#include <chrono>
#include <cstdint>

#include "aiserve/core/clock.hpp"

namespace aiserve::inline v0::detail {

struct LeaseTime {
  std::int64_t boot;
  std::int64_t ms;

  /// A lease until `other` has ended.
  bool past(const LeaseTime& other) const noexcept { return boot != other.boot || ms >= other.ms; }
};

class LeaseClock {
 public:
  /// Simulated time is taken from a manual `clock`, with a boot of its own.
  explicit LeaseClock(const Clock& clock);
  LeaseTime now() const noexcept;
  /// In the last ten minutes; with a manual clock the machine boots when this is made.
  bool booted_lately() const noexcept;

 private:
  const Clock& clock_;
  std::int64_t boot_;
  TimePoint made_at_;
};

}  // namespace aiserve::inline v0::detail
