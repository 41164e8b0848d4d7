// MemoryTier: the synchronous heart of a Cache. Knows no Runtime and no clock: `now` is an
// argument.
//
// An entry lives in one shard, picked by the hash of tenant and key. What loads values uses
// stamp() before a load begins and stores with it, so that an invalidation meanwhile counts.
// *Thread safety:* any thread. No function calls out while it holds a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "aiserve/cache/cache.hpp"
#include "cache/entry_heap.hpp"
#include "cache/invalidations.hpp"
#include "cache/key_hash.hpp"
#include "cache/saved_entry.hpp"
#include "cache/shard.hpp"
#include "cache/tenant_registry.hpp"

namespace aiserve::inline v0::detail {

struct TierHit {
  Hit hit{};
  bool expired = false;  ///< past its ttl, within stale_if_error
};

/// What is stored with a value. `cost`, `ttl`, ... as in EntryOptions, all settled.
struct TierPut {
  Duration ttl = kForever;
  Duration soft_ttl = kForever;
  Duration stale_if_error{};
  Duration cost{};
  bool negative = false;
  std::optional<std::uint32_t> stamp{};  ///< default: now
  std::span<const CacheLabel> labels{};
};

class MemoryTier {
 public:
  /// Options are checked; `epoch` is the time that ages count from.
  MemoryTier(const CacheOptions& options, TimePoint epoch);

  /// Where an entry lies. Making one begins to load what finding the entry reads: read the clock
  /// between the two.
  struct Place {
    std::uint64_t tenant_hash;
    std::uint32_t hash;
    std::size_t shard;
  };
  Place place(const TenantId& tenant, KeyView key) const noexcept {
    const std::uint64_t tenant_hash = hash_(0, tenant.view());
    const std::uint64_t hash = hash_(tenant_hash ^ std::uint64_t{key.structured()}, key.bytes());
    const Place place{tenant_hash, static_cast<std::uint32_t>(hash),
                      (hash >> 32) & (shard_count_ - 1)};
    shards_[place.shard].prefetch(place.hash);
    return place;
  }

  std::optional<Hit> find(const Place& at, const TenantId& tenant, KeyView key, TimePoint now) {
    return find(at, tenant, key, now, nullptr);
  }
  std::optional<Hit> find(const TenantId& tenant, KeyView key, TimePoint now) {
    return find(place(tenant, key), tenant, key, now);
  }
  /// Finds entries within stale_if_error, too. They count as a miss.
  std::optional<TierHit> find_also_expired(const TenantId& tenant, KeyView key, TimePoint now);
  /// Errors: too_large, overloaded, invalid_argument.
  Result<void> put(const TenantId& tenant, KeyView key, const Bytes& value, TimePoint now,
                   const TierPut& what);
  bool erase(const TenantId& tenant, KeyView key);
  /// A miss that joined a load in flight.
  void count_coalesced(const TenantId& tenant, KeyView key);

  std::uint32_t stamp() const noexcept { return invalidations_.stamp(); }
  /// False: one of the labels was invalidated after the stamp was taken.
  bool current(std::uint32_t stamp, std::span<const CacheLabel> labels) const noexcept {
    return !invalidations_.dead(stamp, labels);
  }
  /// `kind` keeps tags, namespaces and versions apart; an empty tenant: of all tenants.
  CacheLabel label(const TenantId& tenant, char kind, std::string_view text) const noexcept;
  void invalidate(CacheLabel label) noexcept { invalidations_.invalidate(label); }
  void invalidate_tenant(const TenantId& tenant);
  void invalidate_all() noexcept { invalidations_.invalidate_all(); }

  Result<void> set_tenant(const TenantId& tenant, const TenantShare& share);
  void remove_tenant(const TenantId& tenant);
  Result<void> resize(std::size_t capacity);
  /// Uses at most `bytes`, but at least what is guaranteed, until the next call.
  void shrink_to(std::size_t bytes);

  std::size_t bytes() const noexcept { return budget_.used(); }
  std::size_t capacity() const noexcept { return budget_.capacity(); }
  std::size_t entries() const;
  CacheSnapshot snapshot() const;
  TenantUse tenant_use(const TenantId& tenant) const;
  std::vector<KeyUse> top_keys(const TenantId& tenant, std::size_t count, TimePoint now) const;

  /// Calls visit(tenant, entry) for every entry, one shard locked at a time; visit must
  /// not call the tier.
  template <class Visit>
  void for_each(const Visit& visit) const;

  /// Every entry that is alive, in chunks of one tenant; `write` is called without a lock.
  void save(TimePoint now, decide::Nanos wall_now,
            const std::function<void(const SavedChunk&)>& write) const;
  /// The number of entries that were put.
  std::size_t restore(const SavedChunk& chunk, TimePoint now, decide::Nanos wall_now);

  /// About once a second: forgets tenants that are gone.
  void prune();
  std::uint64_t listener_failures() const noexcept { return listener_.failures.load(); }
  /// Misses of tenants that never stored anything.
  std::uint64_t stranger_misses() const noexcept { return stranger_misses_.load(); }

 private:
  std::uint64_t ms(TimePoint now) const noexcept {
    return now <= epoch_ ? 0 : static_cast<std::uint64_t>((now - epoch_).count()) / 1'000'000;
  }
  Lane* lane_of(CacheShard& shard, const Place& place, const TenantId& tenant);
  bool alive(Lane& lane, CacheEntry& entry) const noexcept {
    const std::uint32_t now = invalidations_.stamp();
    return entry.stamp >= now || still_alive(lane, entry, now);
  }
  bool still_alive(Lane& lane, CacheEntry& entry, std::uint32_t now) const noexcept;
  // `expired`: where to say so of an entry that may be used all the same; nullptr: it may not.
  std::optional<Hit> find(const Place& at, const TenantId& tenant, KeyView key, TimePoint now,
                          bool* expired);
  std::optional<Hit> take_old(CacheShard& shard, Lane& lane, CacheEntry* entry,
                              std::uint64_t age_ms, bool* expired, std::optional<Departures>& gone);
  Result<void> check(const TenantId& tenant, KeyView key, const Bytes& value,
                     const TierPut& what) const;
  using EntryOwner = std::unique_ptr<CacheEntry, CacheEntry::Drop>;
  Result<void> store(const TenantId& tenant, const Place& place, const EntrySpec& spec);
  Shortage first_attempt(const TenantId& tenant, const Place& place, const EntrySpec& spec,
                         EntryOwner& entry);
  Shortage try_store(const TenantId& tenant, const Place& place, EntryOwner& entry);
  bool make_room_elsewhere(const TenantRegistry::Record& record, const Place& place,
                           Shortage shortage, std::size_t bytes);
  std::size_t evict_in(std::size_t shard, const TenantRegistry::Record& record, Shortage shortage,
                       bool own, std::size_t bytes);
  void shrink();
  void save_shard(std::size_t index, TimePoint now, decide::Nanos wall_now,
                  const std::function<void(const SavedChunk&)>& write) const;
  void miss_without_lane(const TenantId& tenant);
  TenantUse use_of(const TenantRecord& record) const;

  const KeyHash hash_;
  const KeyHash label_hash_;  // the same in every process that has the digest key
  const TimePoint epoch_;
  const std::size_t max_entry_;
  const std::size_t max_key_;
  const std::size_t shard_count_;  // a power of two
  Budget budget_;
  std::atomic<std::size_t> resized_;  // the capacity that was asked for; the budget may be less
  const std::vector<EntryHeap::Owner> heaps_;  // none, or a power of two; shards share them
  const std::unique_ptr<CacheShard[]> shards_;
  TenantRegistry registry_;
  Invalidations invalidations_;
  EvictionListener listener_;
  std::atomic<std::uint64_t> stranger_misses_{0};
};

template <class Visit>
void MemoryTier::for_each(const Visit& visit) const {
  for (std::size_t i = 0; i < shard_count_; ++i) {
    CacheShard& shard = shards_[i];
    const std::scoped_lock lock(shard.lock);
    shard.index().for_each(
        [&](CacheEntry* entry) { visit(shard.lane_of(*entry).record().id, *entry); });
  }
}

}  // namespace aiserve::inline v0::detail
