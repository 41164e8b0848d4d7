#include "decide/retention.hpp"

namespace aiserve::inline v0::decide {
namespace {

constexpr double kFade = 1.0 / 256;

}  // namespace

void CostAverage::add(double cost, std::size_t bytes) noexcept {
  if (cost <= 0) return;
  cost_ += cost - cost_ * kFade;
  bytes_ += static_cast<double>(bytes) - bytes_ * kFade;
}

std::uint8_t laps(double cost, std::size_t bytes, double average_per_byte) noexcept {
  if (cost <= 0 || average_per_byte <= 0) return 0;
  const double ratio = cost / (static_cast<double>(bytes) * average_per_byte);
  if (ratio < 4) return 0;
  if (ratio < 16) return 1;
  return ratio < 64 ? 2 : 3;
}

}  // namespace aiserve::inline v0::decide
