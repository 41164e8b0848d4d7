// What a MemoryTier gives to a snapshot, and takes back.
#include <map>
#include <mutex>

#include "cache/memory_tier.hpp"

namespace aiserve::inline v0::detail {
namespace {

// Of one shard and tenant: what a snapshot has in memory beside the values themselves.
constexpr std::size_t kMostChunk = 4_MiB;

decide::Nanos after(decide::Nanos stored, std::uint64_t ms) noexcept {
  if (ms == ShortDuration::kEndless) return decide::kNever;
  return decide::saturating_add(stored, static_cast<decide::Nanos>(ms) * 1'000'000);
}

Duration left(decide::Nanos until, decide::Nanos wall_now) noexcept {
  if (until == decide::kNever) return kForever;
  return std::max<Duration>(Duration(until - wall_now), std::chrono::milliseconds(1));
}

SavedEntry saved(CacheEntry& entry, std::uint64_t now_ms, decide::Nanos wall_now) {
  const decide::Nanos stored =
      wall_now - static_cast<decide::Nanos>(entry.age_ms(now_ms)) * 1'000'000;
  SavedEntry copy{.key = std::string(entry.key().bytes()),
                  .structured = entry.key().structured(),
                  .negative = entry.negative(),
                  .cost = static_cast<std::int64_t>(entry.cost_ns()),
                  .value = entry.value()};
  copy.expiry.stored = stored;
  copy.expiry.soft = after(stored, entry.soft_ttl_ms());
  copy.expiry.hard = after(stored, entry.ttl_ms());
  copy.expiry.last = after(copy.expiry.hard, entry.grace_ms());
  copy.labels.reserve(entry.labels());
  for (std::size_t i = 0; i < entry.labels(); ++i) copy.labels.push_back(entry.label(i));
  return copy;
}

}  // namespace

void MemoryTier::save_shard(std::size_t index, TimePoint now, decide::Nanos wall_now,
                            const std::function<void(const SavedChunk&)>& write) const {
  std::map<LaneId, SavedChunk> chunks;
  {
    CacheShard& shard = shards_[index];
    const std::scoped_lock lock(shard.lock);
    std::map<LaneId, Lane*> lanes;
    for (Lane* lane : shard.lanes()) lanes[lane->id()] = lane;
    shard.index().for_each([&](CacheEntry* entry) {
      const auto lane = lanes.find(entry->lane());
      if (lane == lanes.end() || !alive(*lane->second, *entry)) return;
      SavedChunk& chunk = chunks[entry->lane()];
      chunk.tenant = lane->second->record().id;
      chunk.entries.push_back(saved(*entry, ms(now), wall_now));
    });
  }
  for (auto& [lane, chunk] : chunks) {
    SavedChunk part{.tenant = chunk.tenant};
    for (SavedEntry& entry : chunk.entries) {
      if (decide::freshness(entry.expiry, wall_now) == decide::Freshness::gone) continue;
      part.bytes += entry.value.size() + entry.key.size();
      part.entries.push_back(std::move(entry));
      if (part.bytes < kMostChunk) continue;
      write(part);
      part = SavedChunk{.tenant = chunk.tenant};
    }
    write(part);
  }
}

void MemoryTier::save(TimePoint now, decide::Nanos wall_now,
                      const std::function<void(const SavedChunk&)>& write) const {
  for (std::size_t i = 0; i < shard_count_; ++i) save_shard(i, now, wall_now, write);
}

std::size_t MemoryTier::restore(const SavedChunk& chunk, TimePoint now, decide::Nanos wall_now) {
  std::size_t restored = 0;
  for (const SavedEntry& entry : chunk.entries) {
    const decide::Freshness fresh = decide::freshness(entry.expiry, wall_now);
    if (fresh != decide::Freshness::fresh && fresh != decide::Freshness::stale) continue;
    const Duration ttl = left(entry.expiry.hard, wall_now);
    const TierPut what{.ttl = ttl,
                       .soft_ttl = left(entry.expiry.soft, wall_now),
                       .stale_if_error = left(entry.expiry.last, wall_now) - ttl,
                       .cost = Duration(entry.cost),
                       .negative = entry.negative,
                       .labels = entry.labels};
    const KeyView key(entry.key, entry.structured);
    if (put(chunk.tenant, key, entry.value.compact(), now, what)) ++restored;
  }
  return restored;
}

}  // namespace aiserve::inline v0::detail
