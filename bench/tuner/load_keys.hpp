// From the result of a load to named numbers: the keys of a run file and the points of a plot.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "tuner/knee.hpp"
#include "tuner/load_result.hpp"
#include "tuner/parse.hpp"
#include "tuner/run_file.hpp"

namespace tuner {

/// PREFIX.per_s, .p50_ms, .p90_ms, .p99_ms, .p999_ms (with _unstable where samples are few),
/// .mean_batch, .refused_share; and per tenant of a mix PREFIX.NAME.share, .per_s, .p50_ms,
/// .p99_ms.
void add_load_keys(RunFile& run, const std::string& prefix, const LoadResult& load,
                   const std::vector<TenantLoad>& tenants);

/// `offered_per_second` 0 for a closed loop.
SweepPoint point_of(const Setting& setting, double offered_per_second, const LoadResult& load);

/// Field by field; all points are of one setting and load.
SweepPoint median_point(const std::vector<SweepPoint>& repeats);

}  // namespace tuner
