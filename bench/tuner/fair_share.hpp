// What each tenant of a mix is entitled to: weighted max-min fairness (Bertsekas and Gallager, Data
// Networks, 6.5.2). Nobody gets more than it asks for; what is left over goes to the others by
// weight. Pure.
#pragma once

#include <span>
#include <vector>

#include "tuner/parse.hpp"

namespace tuner {

/// Per tenant, the requests/s it should get of `capacity` requests/s.
std::vector<double> fair_rates(std::span<const TenantLoad> tenants, double capacity);

/// The same as shares of what is served in all; they add up to 1.
std::vector<double> fair_shares(std::span<const TenantLoad> tenants, double capacity);

/// Parts of their sum; all 0 when the sum is 0.
std::vector<double> shares_of(std::vector<double> parts);

}  // namespace tuner
