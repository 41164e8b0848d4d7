/// CacheOptions: what a Cache is made of; TenantShare: what one tenant gets of it; EntryOptions:
/// what one entry is stored with.
///
///     Cache cache(runtime, {.capacity = 256_MiB, .ttl = 10min});
///     cache.set_tenant(TenantId("acme"), {.guarantee = 32_MiB, .limit = 128_MiB, .weight = 2});
#pragma once

#include <aiserve/cache/digest.hpp>
#include <aiserve/cache/eviction.hpp>
#include <aiserve/core/deadline.hpp>
#include <aiserve/core/tenant.hpp>
#include <aiserve/core/units.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

/// Never expires.
inline constexpr Duration kForever = Duration::max();

/// How room is made within a tenant.
enum class EvictionPolicy : std::uint8_t {
  s3_fifo,  ///< Yang et al., SOSP 2023: best on most traces, a hit only bumps two bits
  lru,      ///< for tiny caches and pure loops
};

/// What a tenant gets of a contended cache.
struct TenantShare {
  /// Bytes that others never take away from it.
  std::size_t guarantee = 0;
  /// Bytes it never exceeds, at least the guarantee. Default: the whole cache.
  std::size_t limit = std::numeric_limits<std::size_t>::max();
  /// Of what is not guaranteed, relative to other tenants; finite, > 0.
  double weight = 1;

  friend bool operator==(const TenantShare&, const TenantShare&) noexcept = default;
};

struct CacheOptions {
  /// Label in metrics, logs and /status.
  std::string name = "cache";
  /// Bytes of all entries: values, keys and what the cache adds to them. At least 4 KiB.
  std::size_t capacity = 64_MiB;
  /// Entries expire after this, unless they bring their own. At least 1 ms; kForever: never. Kept
  /// to 1 ms up to 24 days, to 1 s beyond.
  Duration ttl = kForever;
  EvictionPolicy policy = EvictionPolicy::s3_fifo;
  /// Largest entry (value, key and overhead) in bytes; larger ones are refused as too_large.
  /// Default, 0: an eighth of the capacity.
  std::size_t max_entry = 0;
  /// Tags of one entry at most, 0 to 64.
  std::size_t max_tags = 16;
  /// Bytes of one key at most, 1 to 65,535; longer ones are refused as too_large.
  std::size_t max_key = 4096;
  /// Independent parts with a lock of their own, a power of two up to 1024. Default, 0: one per
  /// 1 MiB, at most 64. More when many threads contend, 1 for a cache of few large entries.
  std::size_t shards = 0;

  /// With what the digests of memoized operations are made. Default: random per process. What is to
  /// be found again after a restart, or by others, needs one that stays: DigestKey::from_secret().
  std::optional<DigestKey> digest_key{};

  /// What a tenant gets that was not named by set_tenant().
  TenantShare unnamed_tenant{};
  struct NamedShare {
    TenantId tenant{};
    TenantShare share{};
  };
  /// Shares known at wiring; their guarantees together must fit into the capacity.
  std::vector<NamedShare> tenants{};

  /// Called after an entry has left, without any lock of the cache, on the thread that caused it.
  /// What it throws is swallowed and counted.
  std::function<void(const Eviction&)> on_eviction{};
  /// Asked about once a second on an I/O thread how many bytes the cache may use now; the cache
  /// shrinks to it, and grows back up to `capacity`. Not below the sum of the guarantees. Default:
  /// always `capacity`.
  std::function<std::size_t()> memory_budget{};
};

/// How an entry is stored. For a synchronous call: what `tags` views need live no longer.
struct EntryOptions {
  /// Default: the cache's. Zero or less: the entry is refused as invalid_argument.
  std::optional<Duration> ttl{};
  /// After this a hit says that it is stale and shall be refreshed. Default: never. At most ttl.
  std::optional<Duration> soft_ttl{};
  /// How long after ttl the entry may still stand in for an error (RFC 5861 section 4); find() does
  /// not return it then.
  Duration stale_if_error{};
  /// What it took to compute the value; dear entries per byte are kept longer. Zero: unknown. Kept
  /// to 0.1 %.
  Duration cost{};
  /// Stands for "there is no such thing"; see Hit::negative.
  bool negative = false;
  /// The entry dies when one of them is invalidated. Tags belong to the tenant.
  std::span<const std::string_view> tags{};
};

}  // namespace aiserve::inline v0
