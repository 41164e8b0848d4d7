#include "aiserve/cache/cache.hpp"

#include "cache/cache_impl.hpp"

namespace aiserve::inline v0 {

Cache::Cache(Runtime& runtime, CacheOptions options)
    : impl_(std::make_unique<detail::CacheImpl>(runtime, std::move(options))) {}

Cache::~Cache() = default;

std::optional<Hit> Cache::find(const TenantId& tenant, KeyView key) {
  const auto place = impl_->tier.place(tenant, key);
  return impl_->tier.find(place, tenant, key, impl_->clock.now());
}

std::optional<Hit> Cache::find(const Context& ctx, KeyView key) {
  return find(ctx.tenant().id(), key);
}

Result<void> Cache::put(const TenantId& tenant, KeyView key, const Bytes& value,
                        const EntryOptions& options) {
  std::vector<detail::CacheLabel> labels;
  const Result<detail::TierPut> settled = impl_->settle(tenant, options, labels);
  if (!settled) return settled.error();
  return impl_->tier.put(tenant, key, value, impl_->clock.now(), *settled);
}

Result<void> Cache::put(const Context& ctx, KeyView key, const Bytes& value,
                        const EntryOptions& options) {
  return put(ctx.tenant().id(), key, value, options);
}

bool Cache::erase(const TenantId& tenant, KeyView key) { return impl_->loading.erase(tenant, key); }

void Cache::invalidate_tag(const TenantId& tenant, std::string_view tag) {
  impl_->loading.invalidate_tag(tenant, tag);
}

void Cache::invalidate_tenant(const TenantId& tenant) { impl_->loading.invalidate_tenant(tenant); }
void Cache::invalidate_all() { impl_->loading.invalidate_all(); }

void Cache::invalidate_namespace(std::string_view prefix) {
  impl_->loading.invalidate_namespace(prefix);
}

void Cache::invalidate_version(std::string_view name, std::string_view version) {
  impl_->loading.invalidate_version(name, version);
}

void Cache::add_tier(CacheTier& tier, TierOptions options) {
  impl_->loading.tiers().add(tier, options);
}

void Cache::follow(EventBus& bus, std::string topic) {
  if (topic.empty()) topic = "aiserve/cache/" + impl_->options.name;
  impl_->loading.follow(bus, std::move(topic));
}

Async<void> Cache::flush(const Context& ctx) { return impl_->loading.tiers().flush(ctx); }

detail::MemoHandle Cache::memo_handle(std::string name, MemoOptions options) {
  return detail::MemoHandle(impl_->loading.memoize(std::move(name), std::move(options)));
}

Result<void> Cache::set_tenant(const TenantId& tenant, TenantShare share) {
  return impl_->tier.set_tenant(tenant, share);
}

void Cache::remove_tenant(const TenantId& tenant) {
  impl_->loading.invalidate_tenant(tenant);
  impl_->tier.remove_tenant(tenant);
}

Result<void> Cache::resize(std::size_t capacity) { return impl_->tier.resize(capacity); }

CacheSnapshot Cache::snapshot() const { return impl_->tier.snapshot(); }

TenantUse Cache::tenant_use(const TenantId& tenant) const { return impl_->tier.tenant_use(tenant); }

std::vector<KeyUse> Cache::top_keys(const TenantId& tenant, std::size_t count) const {
  return impl_->tier.top_keys(tenant, count, impl_->clock.now());
}

const CacheOptions& Cache::options() const noexcept { return impl_->options; }

}  // namespace aiserve::inline v0
