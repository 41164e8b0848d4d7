// The groups of bench batching, by what they look at.
#pragma once

#include <string>
#include <vector>

#include "harness/bench.hpp"

namespace bench {

std::vector<Group> null_groups(const Options& options);
std::vector<Group> handoff_groups(const Options& options);
std::vector<Group> poisson_groups(const Options& options);
std::vector<Group> overload_groups(const Options& options);
std::vector<Group> goal_groups(const Options& options);
std::vector<Group> tenant_groups(const Options& options);
std::vector<Group> mixed_groups(const Options& options);
std::vector<Group> cancel_groups(const Options& options);
/// Need libtorch. `model` is the fashion model's file, empty if there is none.
std::vector<Group> saturation_groups(const Options& options, const std::string& model);
std::vector<Group> harmful_groups(const Options& options);
std::vector<Group> fastapi_groups(const Options& options);

}  // namespace bench
