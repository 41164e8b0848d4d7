// The groups of bench http; bench_http.cpp says what their keys mean.
#pragma once

#include <vector>

#include "harness/bench.hpp"

namespace bench {

std::vector<Group> request_groups(const Options& options);
std::vector<Group> peer_groups(const Options& options);
std::vector<Group> typed_groups(const Options& options);
std::vector<Group> typed_full_groups(const Options& options);
std::vector<Group> limiter_groups(const Options& options);
std::vector<Group> websocket_groups(const Options& options);
std::vector<Group> memory_groups(const Options& options);
std::vector<Group> tls_groups(const Options& options);
std::vector<Group> token_groups(const Options& options);

}  // namespace bench
