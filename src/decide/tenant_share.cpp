#include "decide/tenant_share.hpp"

namespace aiserve::inline v0::decide {

double pressure(const ShareView& tenant) noexcept {
  const double over = static_cast<double>(tenant.used) - static_cast<double>(tenant.guarantee);
  return over / (tenant.weight * (1 + tenant.ghost_hit_rate));
}

std::optional<std::size_t> choose_victim(std::span<const ShareView> tenants) noexcept {
  std::optional<std::size_t> best;
  double highest = 0;
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    if (!may_lose(tenants[i])) continue;
    const double one = pressure(tenants[i]);
    if (best && one <= highest) continue;
    best = i;
    highest = one;
  }
  return best;
}

}  // namespace aiserve::inline v0::decide
