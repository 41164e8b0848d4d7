#include "aiserve/cache/memory_cache_tier.hpp"

#include <list>
#include <map>
#include <mutex>
#include <unordered_map>

namespace aiserve::inline v0 {

struct MemoryCacheTier::Impl {
  using Entries = std::list<TierEntry>;
  using Keys = std::unordered_map<std::string_view, Entries::iterator>;

  explicit Impl(std::size_t most, const Clock* given)
      : capacity(most), clock(given != nullptr ? *given : Clock::steady()) {}

  static std::size_t size_of(const TierEntry& entry) noexcept {
    return entry.key().key().size() + entry.value().size() + sizeof(TierEntry);
  }

  std::optional<Bytes> find(const TierKey& key) const {
    const auto tenant = tenants.find(key.tenant());
    if (tenant == tenants.end()) return std::nullopt;
    const auto found = tenant->second.find(key.key().text());
    if (found == tenant->second.end()) return std::nullopt;
    if (found->second->expires() <= clock.wall_now()) return std::nullopt;
    return found->second->value();
  }

  void insert(const TierEntry& entry) {
    erase(entry.key());
    if (size_of(entry) > capacity) return;
    while (used + size_of(entry) > capacity) erase(TierKey(order.front().key()));
    order.push_back(entry);
    used += size_of(entry);
    tenants[entry.key().tenant()].emplace(order.back().key().key().text(), std::prev(order.end()));
  }

  void erase(const TierKey& key) {
    const auto tenant = tenants.find(key.tenant());
    if (tenant == tenants.end()) return;
    const auto found = tenant->second.find(key.key().text());
    if (found == tenant->second.end()) return;
    const Entries::iterator entry = found->second;
    tenant->second.erase(found);
    if (tenant->second.empty()) tenants.erase(tenant);
    used -= size_of(*entry);
    order.erase(entry);
  }

  void erase_tenant(const TenantId& id) {
    const auto tenant = tenants.find(id);
    if (tenant == tenants.end()) return;
    for (const auto& [key, entry] : tenant->second) {
      used -= size_of(*entry);
      order.erase(entry);
    }
    tenants.erase(tenant);
  }

  const std::size_t capacity;
  const Clock& clock;
  mutable std::mutex mutex;
  Entries order;  // as they were put
  std::map<TenantId, Keys> tenants;
  std::size_t used = 0;
};

MemoryCacheTier::MemoryCacheTier(std::size_t capacity, const Clock* clock)
    : impl_(std::make_unique<Impl>(capacity, clock)) {
  if (capacity == 0) throw ConfigError("memory cache tier: capacity must be above 0");
}
MemoryCacheTier::~MemoryCacheTier() = default;

Async<TierValues> MemoryCacheTier::get(const Context& /*ctx*/, std::span<const TierKey> keys) {
  const std::scoped_lock lock(impl_->mutex);
  TierValues values;
  values.reserve(keys.size());
  for (const TierKey& key : keys) values.push_back(impl_->find(key));
  co_return values;
}

Async<void> MemoryCacheTier::put(const Context& /*ctx*/, std::span<const TierEntry> entries) {
  const std::scoped_lock lock(impl_->mutex);
  for (const TierEntry& entry : entries) impl_->insert(entry);
  co_return success();
}

Async<void> MemoryCacheTier::erase(const Context& /*ctx*/, std::span<const TierKey> keys) {
  const std::scoped_lock lock(impl_->mutex);
  for (const TierKey& key : keys) impl_->erase(key);
  co_return success();
}

Async<void> MemoryCacheTier::erase_tenant(const Context& /*ctx*/, const TenantId& tenant) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->erase_tenant(tenant);
  co_return success();
}

std::size_t MemoryCacheTier::entries() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->order.size();
}

std::size_t MemoryCacheTier::bytes() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->used;
}

}  // namespace aiserve::inline v0
