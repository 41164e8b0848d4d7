#include "cache/memory_tier.hpp"

#include <algorithm>
#include <bit>
#include <mutex>

namespace aiserve::inline v0::detail {
namespace {

constexpr std::size_t kBytesPerShard = 1_MiB;
constexpr std::size_t kMostShards = 64;
constexpr std::size_t kBytesPerHeap = 32_MiB;
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kMostHeaps = 0;  // so that it sees who uses an entry too late
#else
constexpr std::size_t kMostHeaps = 4;
#endif

std::size_t shards_for(const CacheOptions& options) noexcept {
  if (options.shards != 0) return options.shards;
  return std::bit_floor(std::clamp<std::size_t>(options.capacity / kBytesPerShard, 1, kMostShards));
}

// The regions of a heap would be much for a small cache.
std::vector<EntryHeap::Owner> heaps_for(const CacheOptions& options) {
  const std::size_t wanted = std::bit_floor(options.capacity / kBytesPerHeap);
  std::vector<EntryHeap::Owner> heaps(std::min(wanted, kMostHeaps));
  for (EntryHeap::Owner& heap : heaps) heap = EntryHeap::create();
  return heaps;
}

KeyHash label_hash(const CacheOptions& options) {
  if (!options.digest_key) return KeyHash();
  std::array<std::uint64_t, 4> secret;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    secret[i] = Digester(*options.digest_key).add("labels").add(i).finish().low() | 1;
  }
  return KeyHash(secret);
}

Duration milliseconds(std::uint64_t ms) noexcept {
  return std::chrono::milliseconds(static_cast<std::int64_t>(ms));
}

[[gnu::always_inline]] inline Hit hit_of(CacheEntry& entry, std::uint64_t age_ms,
                                         bool stale) noexcept {
  return {entry.value(), stale, entry.negative(), milliseconds(age_ms),
          Duration(static_cast<std::int64_t>(entry.cost_ns()))};
}

[[gnu::always_inline]] inline Hit count_hit(Lane& lane, CacheEntry& entry, std::uint64_t age_ms,
                                            bool stale) noexcept {
  ++lane.counts.hits;
  lane.counts.saved += Duration(static_cast<std::int64_t>(entry.cost_ns()));
  return hit_of(entry, age_ms, stale);
}

// Without wrapping: both are below 2^63, or one is endless.
std::uint64_t end_of(std::uint64_t ttl_ms, std::uint64_t grace_ms) noexcept {
  if (ttl_ms == ShortDuration::kEndless || grace_ms == ShortDuration::kEndless) {
    return ShortDuration::kEndless;
  }
  return ttl_ms + grace_ms;
}

}  // namespace

MemoryTier::MemoryTier(const CacheOptions& options, TimePoint epoch)
    : label_hash_(label_hash(options)),
      epoch_(epoch),
      max_entry_(options.max_entry != 0 ? options.max_entry : options.capacity / 8),
      max_key_(options.max_key),
      shard_count_(shards_for(options)),
      budget_(options.capacity),
      resized_(options.capacity),
      heaps_(heaps_for(options)),
      shards_(std::make_unique<CacheShard[]>(shard_count_)),
      registry_(options.unnamed_tenant, options.capacity) {
  listener_.call = options.on_eviction;
  // One lane is part of a shard: a cache of one tenant holds what its capacity says.
  budget_.add_lanes(-static_cast<std::ptrdiff_t>(shard_count_));
  for (std::size_t i = 0; i < shard_count_; ++i)
    shards_[i].use(budget_, shard_count_, options.policy,
                   heaps_.empty() ? nullptr : heaps_[i & (heaps_.size() - 1)].get());
}

CacheLabel MemoryTier::label(const TenantId& tenant, char kind,
                             std::string_view text) const noexcept {
  const std::uint64_t tenant_hash = label_hash_(0, tenant.view());
  const auto seed = static_cast<std::uint64_t>(static_cast<unsigned char>(kind)) << 32;
  return static_cast<CacheLabel>(label_hash_(tenant_hash + seed, text));
}

// An entry that is found alive is alive up to the invalidation that was looked at: the next look-up
// need not read its labels again.
bool MemoryTier::still_alive(Lane& lane, CacheEntry& entry, std::uint32_t now) const noexcept {
  if (lane.record().invalidated.load(std::memory_order_relaxed) > entry.stamp) return false;
  if (invalidations_.dead(entry)) return false;
  entry.stamp = now;
  return true;
}

std::optional<Hit> MemoryTier::find(const Place& at, const TenantId& tenant, KeyView key,
                                    TimePoint now, bool* expired) {
  const std::uint64_t now_ms = ms(now);
  CacheShard& shard = shards_[at.shard];
  std::optional<Departures> gone;
  const std::scoped_lock lock(shard.lock);
  Lane* lane = shard.find_lane(at.tenant_hash, tenant);
  if (lane == nullptr) {
    miss_without_lane(tenant);
    return std::nullopt;
  }
  CacheEntry* entry = shard.find(*lane, at.hash, key);
  if (entry == nullptr) {
    ++lane->counts.misses;
    shard.expect_insert(*lane, at.hash);
    return std::nullopt;
  }
  const std::uint64_t age = entry->age_ms(now_ms);
  if (!entry->fresh_at(age) || !alive(*lane, *entry)) {
    return take_old(shard, *lane, entry, age, expired, gone);
  }
  lane->hit(entry);
  return count_hit(*lane, *entry, age, false);
}

std::optional<TierHit> MemoryTier::find_also_expired(const TenantId& tenant, KeyView key,
                                                     TimePoint now) {
  bool expired = false;
  std::optional<Hit> hit = find(place(tenant, key), tenant, key, now, &expired);
  if (!hit) return std::nullopt;
  return TierHit{std::move(*hit), expired};
}

// Lanes come with entries only: looking for things costs no memory that stays.
void MemoryTier::miss_without_lane(const TenantId& tenant) {
  if (const TenantRegistry::Record record = registry_.find(tenant)) {
    record->count_miss();
  } else {
    stranger_misses_.fetch_add(1, std::memory_order_relaxed);
  }
}

std::optional<Hit> MemoryTier::take_old(CacheShard& shard, Lane& lane, CacheEntry* entry,
                                        std::uint64_t age, bool* expired,
                                        std::optional<Departures>& gone) {
  CacheCounts& counts = lane.counts;
  const bool over = age >= entry->ttl_ms();
  const bool invalidated = !alive(lane, *entry);
  if (invalidated || (over && age >= end_of(entry->ttl_ms(), entry->grace_ms()))) {
    ++counts.misses;
    ++(invalidated ? counts.invalidated : counts.expired);
    shard.remove(lane, entry, invalidated ? EvictionCause::invalidated : EvictionCause::expired,
                 gone.emplace(listener_));
    return std::nullopt;
  }
  lane.hit(entry);
  if (!over) {
    ++counts.stale;
    return count_hit(lane, *entry, age, true);
  }
  ++counts.misses;
  if (expired == nullptr) return std::nullopt;
  *expired = true;
  return hit_of(*entry, age, age >= entry->soft_ttl_ms());
}

bool MemoryTier::erase(const TenantId& tenant, KeyView key) {
  const Place at = place(tenant, key);
  CacheShard& shard = shards_[at.shard];
  Departures gone(listener_);
  const std::scoped_lock lock(shard.lock);
  Lane* lane = shard.find_lane(at.tenant_hash, tenant);
  CacheEntry* entry = lane != nullptr ? shard.find(*lane, at.hash, key) : nullptr;
  if (entry == nullptr) return false;
  const bool was_alive = alive(*lane, *entry);
  shard.remove(*lane, entry, was_alive ? EvictionCause::erased : EvictionCause::invalidated, gone);
  return was_alive;
}

void MemoryTier::count_coalesced(const TenantId& tenant, KeyView key) {
  const Place at = place(tenant, key);
  CacheShard& shard = shards_[at.shard];
  const std::scoped_lock lock(shard.lock);
  if (Lane* lane = shard.find_lane(at.tenant_hash, tenant)) ++lane->counts.coalesced;
}

void MemoryTier::invalidate_tenant(const TenantId& tenant) {
  const TenantRegistry::Record record = registry_.find(tenant);
  if (record == nullptr) return;
  invalidations_.advance(
      [&](std::uint32_t number) { record->invalidated.store(number, std::memory_order_relaxed); });
}

Result<void> MemoryTier::set_tenant(const TenantId& tenant, const TenantShare& share) {
  Result<void> set = registry_.set(tenant, hash_(0, tenant.view()), share);
  budget_.set_floor(registry_.guaranteed());
  return set;
}

void MemoryTier::remove_tenant(const TenantId& tenant) {
  invalidate_tenant(tenant);
  registry_.unset(tenant);
  budget_.set_floor(registry_.guaranteed());
}

void MemoryTier::prune() {
  for (std::size_t i = 0; i < shard_count_; ++i) {
    const std::scoped_lock lock(shards_[i].lock);
    shards_[i].prune();
  }
  registry_.prune();
  budget_.set_floor(registry_.guaranteed());
}

}  // namespace aiserve::inline v0::detail
