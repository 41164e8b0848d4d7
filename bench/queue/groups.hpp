// The groups of bench queue; bench_queue.cpp says what their keys mean.
#pragma once

#include "harness/bench.hpp"

namespace bench {

Group lifecycle_group(const Options& options);
Group enqueue_group(const Options& options);
Group pickup_group(const Options& options);
Group backlog_group(const Options& options);
Group recover_group(const Options& options);
Group fair_group(const Options& options);
std::vector<Group> postgres_groups(const Options& options);
std::vector<Group> rival_groups(const Options& options);

}  // namespace bench
