#include "tuner/fair_share.hpp"

#include <algorithm>
#include <numeric>

namespace tuner {

std::vector<double> fair_rates(std::span<const TenantLoad> tenants, double capacity) {
  // Those that ask for least per weight are satisfied first.
  std::vector<std::size_t> order(tenants.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto per_weight = [&](std::size_t i) { return tenants[i].per_second / tenants[i].weight; };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return per_weight(a) < per_weight(b); });
  double weights = 0;
  for (const TenantLoad& tenant : tenants) weights += tenant.weight;
  std::vector<double> rates(tenants.size());
  for (const std::size_t i : order) {
    rates[i] = std::min(tenants[i].per_second, capacity * tenants[i].weight / weights);
    capacity -= rates[i];
    weights -= tenants[i].weight;
  }
  return rates;
}

std::vector<double> fair_shares(std::span<const TenantLoad> tenants, double capacity) {
  return shares_of(fair_rates(tenants, capacity));
}

std::vector<double> shares_of(std::vector<double> parts) {
  const double sum = std::accumulate(parts.begin(), parts.end(), 0.0);
  for (double& part : parts) part = sum > 0 ? part / sum : 0;
  return parts;
}

}  // namespace tuner
