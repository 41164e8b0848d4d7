// The two plots over time: which batch sizes ran, and which tenants were served.
#pragma once

#include <string>
#include <vector>

#include "tuner/timeline.hpp"

namespace tuner {

/// A heat map: time across, sizes up; the darker a cell, the more of that slice's batches it holds.
/// Empty when no batch was seen.
std::string svg_batch_sizes(const Timeline& timeline);

/// Stacked shares of what was answered; `fair` draws what each is entitled to as dashed lines.
/// Empty for less than two tenants.
std::string svg_tenant_shares(const Timeline& timeline, const std::vector<std::string>& names,
                              const std::vector<double>& fair);

}  // namespace tuner
