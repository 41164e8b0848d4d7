// Nanos: time and durations in the decision cores, in nanoseconds.
#pragma once

#include <cstdint>

namespace aiserve::inline v0::decide {

using Nanos = std::int64_t;
inline constexpr Nanos kNever = INT64_MAX;

/// a + b, where b is a duration; kNever stays kNever.
inline Nanos saturating_add(Nanos a, Nanos b) noexcept {
  Nanos sum = 0;
  if (b == kNever || __builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN : kNever;
  return sum;
}

}  // namespace aiserve::inline v0::decide
