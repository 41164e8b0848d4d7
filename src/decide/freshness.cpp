#include "decide/freshness.hpp"

#include <algorithm>

namespace aiserve::inline v0::decide {
namespace {

Nanos scaled(Nanos duration, double factor) noexcept {
  if (duration == kNever) return kNever;
  const double length = static_cast<double>(duration) * factor;
  return length >= static_cast<double>(kNever) ? kNever : static_cast<Nanos>(length);
}

// 1 - jitter to 1 + jitter.
double factor_of(double jitter, std::uint64_t random) noexcept {
  const double unit = static_cast<double>(random >> 11) * 0x1p-53;
  return 1.0 + jitter * (2.0 * unit - 1.0);
}

}  // namespace

Expiry expiry(const Lifetimes& lifetimes, Nanos now, std::uint64_t random) noexcept {
  const double factor = factor_of(lifetimes.jitter, random);
  Expiry result;
  result.stored = now;
  result.hard = saturating_add(now, scaled(lifetimes.hard, factor));
  result.soft = std::min(result.hard, saturating_add(now, scaled(lifetimes.soft, factor)));
  result.last = saturating_add(result.hard, lifetimes.stale_if_error);
  return result;
}

Freshness freshness(const Expiry& expiry, Nanos now) noexcept {
  if (now < expiry.soft) return Freshness::fresh;
  if (now < expiry.hard) return Freshness::stale;
  return now < expiry.last ? Freshness::on_error : Freshness::gone;
}

}  // namespace aiserve::inline v0::decide
