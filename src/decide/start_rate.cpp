#include "decide/start_rate.hpp"

#include <algorithm>
#include <cmath>

namespace aiserve::inline v0::decide {
namespace {

/// Between two starts; rounded up, so that the rate is never exceeded.
Nanos interval_of(const StartRate& limit) noexcept {
  return static_cast<Nanos>(std::ceil(1e9 / limit.per_second));
}

Nanos span_of(const StartRate& limit, std::uint64_t starts) noexcept {
  const double length = static_cast<double>(interval_of(limit)) * static_cast<double>(starts);
  return length < 9e18 ? static_cast<Nanos>(length) : kNever;
}

bool is_free(const StartRate& limit) noexcept { return limit.per_second <= 0; }

}  // namespace

std::size_t may_start(const StartRate& limit, Nanos spent_until, Nanos now) noexcept {
  if (is_free(limit)) return SIZE_MAX;
  const Nanos interval = interval_of(limit);
  const Nanos ahead = std::max<Nanos>(spent_until - now, 0);
  // Each start that is ahead takes one of the burst, and so does a part of one.
  const auto taken = static_cast<std::size_t>(ahead / interval + (ahead % interval != 0 ? 1 : 0));
  return taken < limit.burst ? limit.burst - taken : 0;
}

Nanos spend(const StartRate& limit, Nanos spent_until, std::size_t count, Nanos now) noexcept {
  if (is_free(limit) || count == 0) return spent_until;
  return saturating_add(std::max(spent_until, now), span_of(limit, count));
}

Nanos unspend(const StartRate& limit, Nanos spent_until, std::size_t count) noexcept {
  if (is_free(limit) || count == 0) return spent_until;
  return std::max<Nanos>(saturating_add(spent_until, -span_of(limit, count)), 0);
}

Nanos plausible(const StartRate& limit, Nanos spent_until, Nanos now, Nanos skew) noexcept {
  const Nanos longest = saturating_add(span_of(limit, limit.burst), skew);
  return spent_until <= saturating_add(now, longest) ? spent_until : 0;
}

Nanos next_start(const StartRate& limit, Nanos spent_until) noexcept {
  if (is_free(limit)) return INT64_MIN;
  return saturating_add(spent_until, -span_of(limit, limit.burst - 1));
}

}  // namespace aiserve::inline v0::decide
