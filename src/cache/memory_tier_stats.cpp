// What a MemoryTier tells about itself.
#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "cache/memory_tier.hpp"

namespace aiserve::inline v0 {

CacheCounts& CacheCounts::operator+=(const CacheCounts& other) noexcept {
  hits += other.hits;
  misses += other.misses;
  stale += other.stale;
  coalesced += other.coalesced;
  inserts += other.inserts;
  ghost_hits += other.ghost_hits;
  expired += other.expired;
  invalidated += other.invalidated;
  refused += other.refused;
  evicted_by_own += other.evicted_by_own;
  evicted_by_others += other.evicted_by_others;
  evicted_others += other.evicted_others;
  saved += other.saved;
  return *this;
}

std::string_view to_string(EvictionCause cause) noexcept {
  switch (cause) {
    case EvictionCause::capacity:
      return "capacity";
    case EvictionCause::limit:
      return "limit";
    case EvictionCause::expired:
      return "expired";
    case EvictionCause::invalidated:
      return "invalidated";
    case EvictionCause::replaced:
      return "replaced";
    case EvictionCause::erased:
      return "erased";
  }
  return "unknown";
}

namespace detail {
namespace {

bool more_bytes(const KeyUse& a, const KeyUse& b) noexcept { return a.bytes > b.bytes; }

// Keeps the `count` largest, the smallest of them in front.
class Largest {
 public:
  explicit Largest(std::size_t count) : count_(count) {}

  bool takes(std::size_t bytes) const noexcept {
    return count_ > 0 && (heap_.size() < count_ || bytes > heap_.front().bytes);
  }
  void add(KeyUse use) {
    if (heap_.size() == count_) {
      std::pop_heap(heap_.begin(), heap_.end(), more_bytes);
      heap_.pop_back();
    }
    heap_.push_back(std::move(use));
    std::push_heap(heap_.begin(), heap_.end(), more_bytes);
  }
  std::vector<KeyUse> sorted() && {
    std::sort(heap_.begin(), heap_.end(), more_bytes);
    return std::move(heap_);
  }

 private:
  std::size_t count_;
  std::vector<KeyUse> heap_;
};

}  // namespace

TenantUse MemoryTier::use_of(const TenantRecord& record) const {
  TenantUse use;
  use.tenant = record.id;
  use.share = record.share();
  use.bytes = record.used.load(std::memory_order_relaxed);
  use.counts = record.retired();
  use.evictors = record.evictors();
  return use;
}

TenantUse MemoryTier::tenant_use(const TenantId& tenant) const {
  const TenantRegistry::Record record = registry_.find(tenant);
  if (record == nullptr) return {.tenant = tenant};
  TenantUse use = use_of(*record);
  for (std::size_t i = 0; i < shard_count_; ++i) {
    const std::scoped_lock lock(shards_[i].lock);
    const Lane* lane = shards_[i].find_lane(record->hash, tenant);
    if (lane == nullptr) continue;
    use.entries += lane->size();
    use.counts += lane->counts;
  }
  return use;
}

CacheSnapshot MemoryTier::snapshot() const {
  CacheSnapshot all{.capacity = budget_.capacity(), .bytes = budget_.used()};
  std::unordered_map<const TenantRecord*, std::size_t> places;
  const auto records = registry_.all();
  for (const auto& record : records) {
    places.emplace(record.get(), all.tenants.size());
    all.tenants.push_back(use_of(*record));
  }
  for (std::size_t i = 0; i < shard_count_; ++i) {
    const std::scoped_lock lock(shards_[i].lock);
    for (const Lane* lane : shards_[i].lanes()) {
      const auto found = places.find(&lane->record());
      if (found == places.end()) continue;  // came meanwhile
      all.tenants[found->second].entries += lane->size();
      all.tenants[found->second].counts += lane->counts;
    }
  }
  for (const TenantUse& use : all.tenants) {
    all.entries += use.entries;
    all.counts += use.counts;
  }
  all.counts.misses += stranger_misses();
  std::sort(all.tenants.begin(), all.tenants.end(), [](const auto& a, const auto& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.tenant < b.tenant;
  });
  return all;
}

std::vector<KeyUse> MemoryTier::top_keys(const TenantId& tenant, std::size_t count,
                                         TimePoint now) const {
  Largest largest(count);
  const std::uint64_t now_ms = ms(now);
  for_each([&](const TenantId& owner, const CacheEntry& entry) {
    const std::size_t bytes = entry.charge();
    if (owner != tenant || !largest.takes(bytes)) return;
    const auto age = static_cast<std::int64_t>(entry.age_ms(now_ms));
    largest.add({std::string(entry.key().bytes()), entry.key().structured(), bytes,
                 std::chrono::milliseconds(age),
                 Duration(static_cast<std::int64_t>(entry.cost_ns()))});
  });
  return std::move(largest).sorted();
}

std::size_t MemoryTier::entries() const {
  std::size_t entries = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    const std::scoped_lock lock(shards_[i].lock);
    entries += shards_[i].index().size();
  }
  return entries;
}

}  // namespace detail
}  // namespace aiserve::inline v0
