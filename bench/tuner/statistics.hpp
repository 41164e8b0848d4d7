// What repeats of a measurement say, without assuming how they are distributed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tuner {

/// 0 for no values.
double median(std::vector<double> values);

/// Two-sided p-value of the Mann-Whitney U test (Mann and Whitney 1947): how likely two samples as
/// far apart as these are when both come from the same source. Exact by counting arrangements while
/// there are no ties and at most 400 pairs, else the normal approximation with the correction for
/// ties and continuity. 1 when a sample is empty.
double mann_whitney_p(std::span<const double> a, std::span<const double> b);

struct Interval {
  double low = 0;
  double high = 0;
};

/// 95 % interval of median(b) / median(a): percentile bootstrap (Efron 1979), 2000 resamples,
/// seeded.
Interval ratio_interval(std::span<const double> a, std::span<const double> b,
                        std::uint64_t seed = 1);

}  // namespace tuner
