// CacheImpl: what a Cache holds.
#pragma once

#include <string>
#include <vector>

#include "aiserve/cache/cache.hpp"
#include "aiserve/core/runtime.hpp"
#include "cache/cache_metrics.hpp"
#include "cache/coarse_clock.hpp"
#include "cache/loading.hpp"
#include "cache/memory_tier.hpp"

namespace aiserve::inline v0::detail {

struct CacheImpl {
  CacheImpl(Runtime& runtime, CacheOptions given);

  /// Errors: invalid_argument.
  Result<TierPut> settle(const TenantId& tenant, const EntryOptions& entry,
                         std::vector<CacheLabel>& labels) const;
  void tick();
  std::string status() const;

  const CacheOptions options;
  const CoarseClock clock;
  MemoryTier tier;
  CacheMetrics metrics;
  Loading loading;
  Attachment attachment;  // last: nothing above is used after it is gone
};

}  // namespace aiserve::inline v0::detail
