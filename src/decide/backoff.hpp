// Backoff: when a job that failed is tried again. Pure.
//
// Full jitter: the pause is uniform between 0 and base * factor^(failures - 1), which is capped; of
// the variants compared in "Exponential Backoff And Jitter" (M. Brooker, AWS Architecture Blog,
// 2015) it makes the fewest calls. If the failure names a time to wait, that time is waited in full
// and the jitter comes on top, so that those who were told the same don't come back together.
#pragma once

#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

struct BackoffPolicy {
  Nanos base = 1'000'000'000;             ///< longest pause after the first failure, >= 0
  Nanos cap = 600'000'000'000;            ///< longest pause of all, at least base
  double factor = 2;                      ///< at least 1
  Nanos longest_wait = 3600'000'000'000;  ///< what a failure may ask for at most, >= 0
};

/// The longest pause after so many failures (1: the first), without jitter.
Nanos backoff_ceiling(const BackoffPolicy& policy, std::uint32_t failures) noexcept;

/// From 0 to below the ceiling, or 0 if that is 0. `random` is uniform over all 64 bits.
Nanos full_jitter(const BackoffPolicy& policy, std::uint32_t failures,
                  std::uint64_t random) noexcept;

/// When to try again. `retry_after` is what the failure asks for, 0 or less: nothing.
Nanos retry_at(const BackoffPolicy& policy, std::uint32_t failures, Nanos retry_after, Nanos now,
               std::uint64_t random) noexcept;

}  // namespace aiserve::inline v0::decide
