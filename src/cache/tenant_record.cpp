#include "cache/tenant_record.hpp"

#include <algorithm>
#include <iterator>

namespace aiserve::inline v0::detail {

void TenantRecord::retire(const CacheCounts& counts) {
  const std::scoped_lock lock(mutex_);
  retired_ += counts;
}

void TenantRecord::count_miss() {
  const std::scoped_lock lock(mutex_);
  ++retired_.misses;
}

CacheCounts TenantRecord::retired() const {
  const std::scoped_lock lock(mutex_);
  return retired_;
}

// Space-Saving (Metwally et al. 2005): a newcomer takes the place and the count of the smallest.
void TenantRecord::pushed_out_by(const TenantId& other) {
  const std::scoped_lock lock(mutex_);
  auto least = evictors_.begin();
  for (auto it = evictors_.begin(); it != evictors_.end(); ++it) {
    if (it->entries > 0 && it->tenant == other) {
      ++it->entries;
      return;
    }
    if (it->entries < least->entries) least = it;
  }
  least->tenant = other;
  ++least->entries;
}

std::vector<TenantUse::Evictor> TenantRecord::evictors() const {
  const std::scoped_lock lock(mutex_);
  std::vector<TenantUse::Evictor> all;
  std::copy_if(evictors_.begin(), evictors_.end(), std::back_inserter(all),
               [](const auto& evictor) { return evictor.entries > 0; });
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.entries > b.entries; });
  return all;
}

}  // namespace aiserve::inline v0::detail
