/// MemoryCacheTier: a CacheTier in a map, bounded in bytes: the reference for other tiers, and what
/// tests put below a Cache. Makes room by forgetting what was put first.
/// *Thread safety:* any thread. *Errors:* none.
///
///     MemoryCacheTier tier(16_MiB);
///     cache.add_tier(tier);
#pragma once

#include <aiserve/cache/cache_tier.hpp>
#include <aiserve/core/clock.hpp>

#include <cstddef>
#include <memory>

namespace aiserve::inline v0 {

class MemoryCacheTier final : public CacheTier {
 public:
  /// In bytes of keys and values. Throws ConfigError for 0. Expiry follows `clock` (default: the
  /// steady clock's wall time).
  explicit MemoryCacheTier(std::size_t capacity, const Clock* clock = nullptr);
  ~MemoryCacheTier() override;

  std::string_view name() const noexcept override { return "memory"; }
  Async<TierValues> get(const Context& ctx, std::span<const TierKey> keys) override;
  Async<void> put(const Context& ctx, std::span<const TierEntry> entries) override;
  Async<void> erase(const Context& ctx, std::span<const TierKey> keys) override;
  Async<void> erase_tenant(const Context& ctx, const TenantId& tenant) override;

  std::size_t entries() const;
  std::size_t bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
