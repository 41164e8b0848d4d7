// StartRate: at most so many starts per second, with a burst. Pure.
//
// The generic cell rate algorithm (ITU-T I.371): the whole state is one instant, the theoretical
// arrival time, so that it fits a column of a store's counter row.
//
//   const std::size_t n = std::min(wanted, may_start(limit, spent_until, now));
//   spent_until = spend(limit, spent_until, n, now);
#pragma once

#include <cstddef>
#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

struct StartRate {
  double per_second = 0;    ///< 0: no limit; else 1e-6 to 1e9
  std::uint32_t burst = 1;  ///< starts at once after a pause, at least 1
};

/// How many may start now, which is >= 0. `spent_until` is 0 or what spend() gave.
std::size_t may_start(const StartRate& limit, Nanos spent_until, Nanos now) noexcept;

/// `count` are started.
Nanos spend(const StartRate& limit, Nanos spent_until, std::size_t count, Nanos now) noexcept;

/// `count` of those that were spent are not started after all.
Nanos unspend(const StartRate& limit, Nanos spent_until, std::size_t count) noexcept;

/// What others have written, for who shares the limit with them: 0 in place of an instant that no
/// clock within `skew` of `now` gives, such as one of another limit or from before a clock was set.
Nanos plausible(const StartRate& limit, Nanos spent_until, Nanos now, Nanos skew) noexcept;

/// When the next may start; `now` or earlier: at once.
Nanos next_start(const StartRate& limit, Nanos spent_until) noexcept;

}  // namespace aiserve::inline v0::decide
