// SavedEntry: an entry of the memory tier as a snapshot has it: times are points of wall time.
#pragma once

#include <string>
#include <vector>

#include "aiserve/core/tenant.hpp"
#include "cache/entry.hpp"
#include "decide/freshness.hpp"

namespace aiserve::inline v0::detail {

struct SavedEntry {
  std::string key;
  bool structured = false;
  bool negative = false;
  decide::Expiry expiry{};
  std::int64_t cost = 0;  // ns
  std::vector<CacheLabel> labels{};
  Bytes value{};
};

/// Some entries of one tenant.
struct SavedChunk {
  TenantId tenant{};
  std::vector<SavedEntry> entries{};
  std::size_t bytes = 0;
};

}  // namespace aiserve::inline v0::detail
