// The Cache as bench cache measures it: four tenants, a TTL, measured costs, statistics; everything
// a service would have on.
#pragma once

#include <array>

#include "aiserve/cache/cache.hpp"
#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "rivals/cache_store.hpp"

namespace bench {

class CacheSubject {
 public:
  explicit CacheSubject(std::size_t capacity);

  bool get(std::uint32_t tenant, const CacheKey16& key, std::uint64_t& sum) {
    const auto hit = cache_.find(tenants_[tenant], text(key));
    if (!hit) return false;
    sum += use_value(reinterpret_cast<const char*>(hit->value.data()));
    return true;
  }
  void put(std::uint32_t tenant, const CacheKey16& key, std::string_view value) {
    const auto stored =
        cache_.put(tenants_[tenant], text(key), aiserve::Bytes::literal(value), entry_);
    static_cast<void>(stored);
  }

  aiserve::Cache& cache() noexcept { return cache_; }

 private:
  std::array<aiserve::TenantId, 4> tenants_;
  aiserve::EntryOptions entry_;
  aiserve::Telemetry telemetry_;
  aiserve::Runtime runtime_;
  aiserve::Cache cache_;
};

}  // namespace bench
