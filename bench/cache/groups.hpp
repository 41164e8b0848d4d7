// The groups of bench cache; bench_cache.cpp says what their keys mean.
#pragma once

#include <vector>

#include "harness/bench.hpp"

namespace bench {

std::vector<Group> mix_groups(const Options& options);
std::vector<Group> hit_groups(const Options& options);
std::vector<Group> neighbour_groups(const Options& options);
std::vector<Group> memory_groups(const Options& options);
std::vector<Group> storm_groups(const Options& options);

}  // namespace bench
