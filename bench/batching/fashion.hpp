// The groups of bench batching that run the fashion model.
#pragma once

#include <string>
#include <vector>

#include "harness/bench.hpp"

namespace bench {

std::vector<Group> fashion_groups(const Options& options, const std::string& model_path);

}  // namespace bench
