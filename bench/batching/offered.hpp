// An open-loop load inside a benchmark group.
#pragma once

#include <cstdint>
#include <vector>

#include "tuner/parse.hpp"
#include "tuner/target.hpp"

namespace bench {

struct Offer {
  double per_second = 0;
  double seconds = 1;
  double warm_up = 0.2;
  tuner::Nanos deadline = 0;
  std::vector<tuner::TenantLoad> mix{};  // in place of per_second
  std::uint64_t seed = 1;
};

/// Poisson arrivals. A run whose sender was late is repeated, six times at most; then, and when
/// requests fail, throws std::runtime_error: the group is left out with the reason.
tuner::LoadResult offer(tuner::Target& target, const Offer& offer);

/// What the target gives a closed loop.
double saturation(tuner::Target& target, int in_flight, double seconds);

double milliseconds(const tuner::LatencyHistogram& latency, double share);

}  // namespace bench
