// CacheMetrics: what a Cache exports, labelled with its name. Counters per tenant are brought up to
// date about once a second: a hit counts in its shard only.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "aiserve/core/telemetry.hpp"
#include "cache/memory_tier.hpp"

namespace aiserve::inline v0::detail {

class CacheMetrics {
 public:
  CacheMetrics(Telemetry& telemetry, const std::string& cache, const MemoryTier& tier);

  /// One thread at a time.
  void update();

 private:
  BoundedLabel& tenants_;
  const MemoryTier& tier_;
  std::vector<BoundedCounter*> counters_;  // as kFamilies
  Counter& listener_failures_;
  std::uint64_t failures_before_ = 0;
  std::unordered_map<TenantId, CacheCounts> before_;
  std::vector<CallbackGauge> gauges_;
};

}  // namespace aiserve::inline v0::detail
