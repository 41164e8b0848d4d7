/// What a Cache tells about itself: numbers per tenant and in total, and its largest entries.
///
///     for (const TenantUse& use : cache.snapshot().tenants) print(use.tenant, use.counts.hits);
#pragma once

#include <aiserve/cache/cache_options.hpp>
#include <aiserve/core/deadline.hpp>
#include <aiserve/core/tenant.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

/// Since the cache was made.
struct CacheCounts {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t inserts = 0;
  Duration saved{};                  ///< cost of all hits: model time that was not spent
  std::uint64_t stale = 0;           ///< hits past their soft TTL
  std::uint64_t coalesced = 0;       ///< misses that joined a load in flight
  std::uint64_t ghost_hits = 0;      ///< inserts of what had been evicted a little earlier
  std::uint64_t expired = 0;         ///< entries found after their time
  std::uint64_t invalidated = 0;     ///< entries found declared dead
  std::uint64_t refused = 0;         ///< puts that found no room or were too large
  std::uint64_t evicted_by_own = 0;  ///< to make room for the tenant itself
  std::uint64_t evicted_by_others = 0;
  std::uint64_t evicted_others = 0;  ///< entries of others that made room for this tenant

  CacheCounts& operator+=(const CacheCounts& other) noexcept;
};

struct TenantUse {
  TenantId tenant{};
  TenantShare share{};
  std::size_t bytes = 0;
  std::size_t entries = 0;
  CacheCounts counts{};
  struct Evictor {
    TenantId tenant{};
    std::uint64_t entries = 0;
  };
  /// Who pushed entries of this tenant out, most first, 4 at most; approximate beyond that many.
  std::vector<Evictor> evictors{};
};

struct CacheSnapshot {
  std::size_t capacity = 0;
  std::size_t bytes = 0;
  std::size_t entries = 0;
  CacheCounts counts{};
  std::vector<TenantUse> tenants{};  ///< by bytes, most first
};

struct KeyUse {
  std::string key{};  ///< as KeyView::bytes()
  bool structured = false;
  std::size_t bytes = 0;
  Duration age{};
  Duration cost{};
};

}  // namespace aiserve::inline v0
