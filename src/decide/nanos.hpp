// Nanos: time and durations in the decision cores, in nanoseconds.
#pragma once

#include <cstdint>

namespace aiserve::inline v0::decide {

using Nanos = std::int64_t;
inline constexpr Nanos kNever = INT64_MAX;

}  // namespace aiserve::inline v0::decide
