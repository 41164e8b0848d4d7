/// CacheTier: the port to what lies below memory: a file, a server. Slower and larger than memory,
/// and it may fail: the Cache asks it only on a miss, never makes a hit wait for it, bounds every
/// call in time, stops asking for a while when calls fail, and checks what it returns.
///
/// A tier keeps opaque values under (tenant, key). It may forget anything at any time. What it must
/// never do is return what was put under another tenant or key, or what was erased.
/// Calls carry many keys so that a remote tier can send them in one round trip. The Cache has
/// several get() calls under way, and one of put(), erase() and erase_tenant() at a time.
/// *Thread safety:* called on I/O threads of one Runtime, from several at once.
/// *Errors:* any. An error counts for all keys of the call.
///
///     SqliteCacheTier disk(runtime, {.path = "cache.db"});
///     cache.add_tier(disk);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/core/deadline.hpp>
#include <aiserve/core/tenant.hpp>

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace aiserve::inline v0 {

class TierKey {
 public:
  TierKey(TenantId tenant, Bytes key) noexcept : tenant_(std::move(tenant)), key_(std::move(key)) {}

  const TenantId& tenant() const noexcept { return tenant_; }
  /// Any bytes, also none.
  const Bytes& key() const noexcept { return key_; }
  friend bool operator==(const TierKey&, const TierKey&) noexcept = default;

 private:
  TenantId tenant_;
  Bytes key_;
};

class TierEntry {
 public:
  TierEntry(TierKey key, Bytes value, WallTime expires) noexcept
      : key_(std::move(key)), value_(std::move(value)), expires_(expires) {}

  const TierKey& key() const noexcept { return key_; }
  const Bytes& value() const noexcept { return value_; }
  /// From then on the tier need not keep it; WallTime::max(): never.
  WallTime expires() const noexcept { return expires_; }

 private:
  TierKey key_;
  Bytes value_;
  WallTime expires_;
};

/// In the order of the keys; nothing where there is none.
using TierValues = std::vector<std::optional<Bytes>>;

class CacheTier {
 public:
  virtual ~CacheTier() = default;

  /// For logs and metrics: "sqlite", "redis".
  virtual std::string_view name() const noexcept = 0;
  /// The keys live until the operation completes; so do the arguments below. A key may come twice.
  virtual Async<TierValues> get(const Context& ctx, std::span<const TierKey> keys) = 0;
  /// Replaces what is there. Of one key that comes twice the later one stays.
  virtual Async<void> put(const Context& ctx, std::span<const TierEntry> entries) = 0;
  /// What is not there is no error.
  virtual Async<void> erase(const Context& ctx, std::span<const TierKey> keys) = 0;
  virtual Async<void> erase_tenant(const Context& ctx, const TenantId& tenant) = 0;
};

}  // namespace aiserve::inline v0
