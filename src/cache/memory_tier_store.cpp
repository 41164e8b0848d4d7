// How a MemoryTier takes entries in and makes room for them.
#include <algorithm>
#include <mutex>
#include <new>

#include "cache/memory_tier.hpp"

namespace aiserve::inline v0::detail {
namespace {

// A shard that was full again after room was made elsewhere: others were faster.
constexpr int kAttempts = 8;

Error too_large(const char* what) { return {Errc::too_large, what}; }

}  // namespace

Result<void> MemoryTier::check(const TenantId& tenant, KeyView key, const Bytes& value,
                               const TierPut& what) const {
  if (tenant.view().size() > TenantId::kMaxSize) return too_large("tenant id");
  if (key.bytes().size() > max_key_) return too_large("cache key");
  if (value.size() >= max_entry_) return too_large("cache entry");
  if (what.labels.size() > CacheEntry::kMostLabels) {
    return Error(Errc::invalid_argument, "too many tags");
  }
  if (what.ttl <= Duration::zero()) return Error(Errc::invalid_argument, "ttl must be positive");
  return success();
}

Result<void> MemoryTier::put(const TenantId& tenant, KeyView key, const Bytes& value, TimePoint now,
                             const TierPut& what) {
  if (Result<void> checked = check(tenant, key, value, what); !checked) return checked;
  const Place at = place(tenant, key);
  try {
    const bool small = value.size() <= CacheEntry::kMostInline;
    const Bytes kept = small ? Bytes() : value.compact();
    const EntrySpec spec{.key = key,
                         .value = small ? &value : &kept,
                         .hash = at.hash,
                         .now_ms = ms(now),
                         .ttl = ShortDuration(what.ttl),
                         .soft_ttl = ShortDuration(what.soft_ttl),
                         .grace = ShortDuration(what.stale_if_error),
                         .cost = what.cost,
                         .negative = what.negative,
                         .stamp = what.stamp.value_or(stamp()),
                         .labels = what.labels};
    return store(tenant, at, spec);
  } catch (const std::bad_alloc&) {
    return Error(Errc::overloaded, "out of memory");
  }
}

// In nearly all cases the first attempt settles it, under one lock.
Result<void> MemoryTier::store(const TenantId& tenant, const Place& place, const EntrySpec& spec) {
  EntryOwner entry;
  Shortage shortage = first_attempt(tenant, place, spec, entry);
  for (int attempt = 0; attempt < kAttempts && shortage != Shortage::none; ++attempt) {
    if (shortage == Shortage::size) return too_large("cache entry");
    const TenantRegistry::Record record = registry_.find(tenant);
    if (shortage == Shortage::index || record == nullptr ||
        !make_room_elsewhere(record, place, shortage, entry->charge())) {
      break;
    }
    shortage = try_store(tenant, place, entry);
  }
  if (shortage == Shortage::none) return success();
  CacheShard& shard = shards_[place.shard];
  const std::scoped_lock lock(shard.lock);
  if (Lane* lane = shard.find_lane(place.tenant_hash, tenant)) ++lane->counts.refused;
  return Error(Errc::overloaded, "no room in the cache that this tenant may take");
}

// The same key with as many bytes again, and nobody reads the old ones: no memory is asked for or
// given back, and no other entry is touched. A listener wants to see the old value, though.
Shortage MemoryTier::first_attempt(const TenantId& tenant, const Place& place,
                                   const EntrySpec& spec, EntryOwner& entry) {
  CacheShard& shard = shards_[place.shard];
  Departures gone(listener_);
  const std::scoped_lock lock(shard.lock);
  Lane* lane = lane_of(shard, place, tenant);
  if (lane == nullptr) return Shortage::index;
  CacheEntry* old = shard.find(*lane, place.hash, spec.key);
  if (old != nullptr && !listener_.call && old->overwrite(spec)) {
    ++lane->counts.inserts;
    return Shortage::none;
  }
  shard.expect_eviction(spec.value->size());
  entry.reset(shard.make_entry(spec));
  if (entry->charge() > max_entry_) return Shortage::size;
  const Shortage shortage = shard.insert(*lane, entry.get(), old, gone);
  if (shortage == Shortage::none) static_cast<void>(entry.release());
  return shortage;
}

Shortage MemoryTier::try_store(const TenantId& tenant, const Place& place, EntryOwner& entry) {
  CacheShard& shard = shards_[place.shard];
  Departures gone(listener_);
  const std::scoped_lock lock(shard.lock);
  Lane* lane = lane_of(shard, place, tenant);
  if (lane == nullptr) return Shortage::index;
  CacheEntry* old = shard.find(*lane, place.hash, entry->key());
  const Shortage shortage = shard.insert(*lane, entry.get(), old, gone);
  if (shortage == Shortage::none) static_cast<void>(entry.release());
  return shortage;
}

Lane* MemoryTier::lane_of(CacheShard& shard, const Place& place, const TenantId& tenant) {
  if (Lane* lane = shard.find_lane(place.tenant_hash, tenant)) return lane;
  Lane* lane = shard.add_lane(registry_.find_or_add(tenant, place.tenant_hash));
  budget_.set_floor(registry_.guaranteed());
  return lane;
}

// The entry's own shard has nothing that may go: looks into the others, one after the other. First
// at what the rule takes, then at the tenant's own entries.
bool MemoryTier::make_room_elsewhere(const TenantRegistry::Record& record, const Place& place,
                                     Shortage shortage, std::size_t bytes) {
  std::size_t freed = 0;
  for (const bool own : {false, true}) {
    if (!own && shortage == Shortage::limit) continue;
    for (std::size_t i = 1; i <= shard_count_ && freed < bytes; ++i) {
      const std::size_t shard = (place.shard + i) & (shard_count_ - 1);
      freed += evict_in(shard, record, shortage, own, bytes - freed);
    }
    if (freed >= bytes) return true;
  }
  return freed > 0;
}

std::size_t MemoryTier::evict_in(std::size_t index, const TenantRegistry::Record& record,
                                 Shortage shortage, bool own, std::size_t bytes) {
  CacheShard& shard = shards_[index];
  Departures gone(listener_);
  const std::scoped_lock lock(shard.lock);
  Lane* lane = own ? shard.find_lane(record->hash, record->id) : nullptr;
  if (own && lane == nullptr) return 0;
  const EvictionCause cause =
      shortage == Shortage::limit ? EvictionCause::limit : EvictionCause::capacity;
  std::size_t freed = 0;
  while (freed < bytes) {
    const std::size_t one = own ? shard.evict_own(*lane, cause, gone)
                                : shard.evict_any(record, Force::above_guarantee, gone);
    if (one == 0) break;
    freed += one;
  }
  return freed;
}

Result<void> MemoryTier::resize(std::size_t capacity) {
  if (capacity < max_entry_) {
    return Error(Errc::invalid_argument, "capacity is below max_entry");
  }
  if (Result<void> set = registry_.set_capacity(capacity); !set) return set;
  resized_.store(capacity);
  budget_.set_capacity(capacity);
  shrink();
  return success();
}

void MemoryTier::shrink_to(std::size_t bytes) {
  budget_.set_capacity(std::clamp(bytes, registry_.guaranteed(), resized_.load()));
  shrink();
}

// Round after round a little from every shard, so that what is left stays evenly spread.
void MemoryTier::shrink() {
  constexpr std::size_t kSlice = 64_KiB;
  Force force = Force::above_guarantee;
  while (budget_.used() > budget_.capacity()) {
    std::size_t freed = 0;
    for (std::size_t i = 0; i < shard_count_ && budget_.used() > budget_.capacity(); ++i) {
      Departures gone(listener_);
      const std::scoped_lock lock(shards_[i].lock);
      const std::size_t before = freed;
      while (freed - before < kSlice && budget_.used() > budget_.capacity()) {
        const std::size_t one = shards_[i].evict_any(nullptr, force, gone);
        if (one == 0) break;
        freed += one;
      }
    }
    if (freed > 0) continue;
    if (force == Force::any) return;  // what is left is on its way in
    force = Force::any;
  }
}

}  // namespace aiserve::inline v0::detail
