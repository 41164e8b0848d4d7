// Gcra: the Generic Cell Rate Algorithm (ITU-T I.371, annex A): a token bucket in one number, the
// theoretical arrival time (TAT) of the next request if all came at the exact rate. Pure.
#pragma once

#include <algorithm>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

struct GcraLimit {
  Nanos interval = 0;      // between two requests at the rate, > 0
  std::int64_t burst = 1;  // requests at once, >= 1; interval * burst must not overflow
};

struct GcraVerdict {
  bool allowed = false;
  std::int64_t remaining = 0;  // requests that would be allowed now, after this one
  Nanos retry_after = 0;       // of a refused one: when it would be allowed
  Nanos full_after = 0;        // until the whole burst is there again
};

/// What a request would get, without taking anything: `remaining` counts it out.
inline GcraVerdict gcra_look(Nanos tat, const GcraLimit& limit, Nanos now) noexcept {
  const Nanos window = limit.interval * limit.burst;
  // A clock that jumped back must not lock anybody out for longer than a full window.
  const Nanos debt = std::clamp<Nanos>(tat - now, 0, window);
  GcraVerdict verdict;
  verdict.remaining = (window - debt) / limit.interval;
  verdict.allowed = verdict.remaining > 0;
  verdict.retry_after = verdict.allowed ? 0 : debt + limit.interval - window;
  verdict.full_after = debt;
  return verdict;
}

/// Takes one request if it is allowed. `tat` begins as 0 or anything in the past.
inline GcraVerdict gcra_take(Nanos& tat, const GcraLimit& limit, Nanos now) noexcept {
  GcraVerdict verdict = gcra_look(tat, limit, now);
  if (!verdict.allowed) return verdict;
  verdict.full_after += limit.interval;
  --verdict.remaining;
  tat = now + verdict.full_after;
  return verdict;
}

}  // namespace aiserve::inline v0::decide
