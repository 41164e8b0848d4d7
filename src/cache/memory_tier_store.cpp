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
    if (small && overwrite(tenant, at, spec)) return success();
    return store(tenant, at, CacheEntry::create(spec, heap_of(at)));
  } catch (const std::bad_alloc&) {
    return Error(Errc::overloaded, "out of memory");
  }
}

// The same key with as many bytes again, and nobody reads the old ones: no memory is asked for or
// given back, and no other entry is touched. A listener wants to see the old value, though.
bool MemoryTier::overwrite(const TenantId& tenant, const Place& place,
                           const EntrySpec& spec) noexcept {
  if (listener_.call) return false;
  CacheShard& shard = shards_[place.shard];
  const std::scoped_lock lock(shard.lock);
  Lane* lane = shard.find_lane(place.tenant_hash, tenant);
  CacheEntry* entry = lane != nullptr ? shard.find(*lane, place.hash, spec.key) : nullptr;
  if (entry == nullptr || !entry->overwrite(spec)) return false;
  ++lane->counts.inserts;
  return true;
}

// Takes the entry over, whatever happens.
Result<void> MemoryTier::store(const TenantId& tenant, const Place& place, CacheEntry* entry) {
  std::unique_ptr<CacheEntry, void (*)(CacheEntry*)> owner(entry, CacheEntry::drop);
  const std::size_t charge = entry->charge();
  if (charge > max_entry_) return too_large("cache entry");
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Shortage shortage = try_store(tenant, place, entry);
    if (shortage == Shortage::none) {
      static_cast<void>(owner.release());
      return success();
    }
    const TenantRegistry::Record record = registry_.find(tenant);
    if (shortage == Shortage::index || record == nullptr ||
        !make_room_elsewhere(record, place, shortage, charge)) {
      break;
    }
  }
  CacheShard& shard = shards_[place.shard];
  const std::scoped_lock lock(shard.lock);
  if (Lane* lane = shard.find_lane(place.tenant_hash, tenant)) ++lane->counts.refused;
  return Error(Errc::overloaded, "no room in the cache that this tenant may take");
}

Shortage MemoryTier::try_store(const TenantId& tenant, const Place& place, CacheEntry* entry) {
  CacheShard& shard = shards_[place.shard];
  Departures gone(listener_);
  const std::scoped_lock lock(shard.lock);
  Lane* lane = lane_of(shard, place, tenant);
  return lane == nullptr ? Shortage::index : shard.insert(*lane, entry, gone);
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
