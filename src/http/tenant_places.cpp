#include "http/tenant_places.hpp"

namespace aiserve::inline v0::http::detail {

TenantPlaces::Pass TenantPlaces::take(char kind, std::string_view name, std::size_t limit) {
  std::string key(1, kind);
  key += name;
  Shard& shard = shards_[hash_(key) % kShards];
  const std::scoped_lock lock(shard.mutex);
  const auto at = shard.taken.try_emplace(std::move(key), 0).first;
  Pass pass;
  if (at->second >= limit) return pass;
  ++at->second;
  pass.shard_ = &shard;
  pass.holder_ = at;
  return pass;
}

void TenantPlaces::Pass::give_back() noexcept {
  const std::scoped_lock lock(shard_->mutex);
  if (--holder_->second == 0) shard_->taken.erase(holder_);
}

std::size_t TenantPlaces::holders() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    count += shard.taken.size();
  }
  return count;
}

}  // namespace aiserve::inline v0::http::detail
