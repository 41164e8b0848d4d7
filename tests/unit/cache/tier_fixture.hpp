// A MemoryTier under a clock that the test moves.
#pragma once

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "cache/memory_tier.hpp"

namespace aiserve::inline v0::testing {

using namespace std::chrono_literals;

inline const TenantId kAcme{"acme"};
inline const TenantId kBolt{"bolt"};

struct TierFixture {
  explicit TierFixture(CacheOptions given = {}) : options(std::move(given)), tier(options, epoch) {}

  TimePoint epoch{1h};
  TimePoint now = epoch;
  CacheOptions options;
  detail::MemoryTier tier;

  bool put(const TenantId& tenant, KeyView key, std::string_view value,
           const detail::TierPut& what = {}) {
    return tier.put(tenant, key, Bytes::copy(value), now, what).ok();
  }
  /// Empty if it is not there.
  std::string get(const TenantId& tenant, KeyView key) {
    const auto found = tier.find(tenant, key, now);
    return found ? found->value.to_string() : std::string();
  }
};

}  // namespace aiserve::inline v0::testing
