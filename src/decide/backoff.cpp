#include "decide/backoff.hpp"

#include <algorithm>
#include <cmath>

namespace aiserve::inline v0::decide {

Nanos backoff_ceiling(const BackoffPolicy& policy, std::uint32_t failures) noexcept {
  if (policy.base <= 0) return 0;
  const double steps = failures == 0 ? 0 : static_cast<double>(failures - 1);
  const double ceiling = static_cast<double>(policy.base) * std::pow(policy.factor, steps);
  return ceiling < static_cast<double>(policy.cap) ? static_cast<Nanos>(ceiling) : policy.cap;
}

Nanos full_jitter(const BackoffPolicy& policy, std::uint32_t failures,
                  std::uint64_t random) noexcept {
  __extension__ using Product = unsigned __int128;
  const auto ceiling = static_cast<std::uint64_t>(backoff_ceiling(policy, failures));
  return static_cast<Nanos>((Product{ceiling} * random) >> 64);
}

Nanos retry_at(const BackoffPolicy& policy, std::uint32_t failures, Nanos retry_after, Nanos now,
               std::uint64_t random) noexcept {
  const Nanos asked = std::clamp<Nanos>(retry_after, 0, policy.longest_wait);
  const Nanos earliest = saturating_add(now, asked);
  return saturating_add(earliest, full_jitter(policy, failures, random));
}

}  // namespace aiserve::inline v0::decide
