// CacheShard: a part of the cache under a lock of its own: an index and one lane per tenant.
//
// Room is accounted for the cache as a whole: the shard takes bytes from a Budget that all shards
// share, and makes room among its own entries first. All functions need the lock.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cache/departures.hpp"
#include "cache/entry_index.hpp"
#include "cache/lane_table.hpp"
#include "cache/small_lock.hpp"

namespace aiserve::inline v0::detail {

/// The bytes of the cache. Never more are used than the capacity, but after a shrink. What lanes
/// take is taken from the capacity, down to a floor: what is guaranteed remains.
class Budget {
 public:
  explicit Budget(std::size_t capacity) noexcept : capacity_(capacity) {}

  bool try_add(std::size_t bytes) noexcept {
    std::size_t now = used_.load(std::memory_order_relaxed);
    do {
      const std::size_t most = room();
      if (bytes > most || now > most - bytes) return false;
    } while (!used_.compare_exchange_weak(now, now + bytes, std::memory_order_relaxed));
    return true;
  }
  /// A hint: it may be otherwise a moment later.
  bool fits(std::size_t bytes) const noexcept { return used() + bytes <= room(); }
  void sub(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  std::size_t capacity() const noexcept { return capacity_.load(std::memory_order_relaxed); }
  void set_capacity(std::size_t bytes) noexcept {
    capacity_.store(bytes, std::memory_order_relaxed);
  }
  void set_floor(std::size_t bytes) noexcept { floor_.store(bytes, std::memory_order_relaxed); }
  void add_lanes(std::ptrdiff_t count) noexcept {
    lanes_.fetch_add(count, std::memory_order_relaxed);
  }
  /// Bytes of all lanes that count.
  std::size_t lanes() const noexcept {
    const std::ptrdiff_t count = lanes_.load(std::memory_order_relaxed);
    return count > 0 ? static_cast<std::size_t>(count) * kLaneBytes : 0;
  }
  /// For entries.
  std::size_t room() const noexcept {
    const std::size_t all = capacity();
    const std::size_t left = all - std::min(all, lanes());
    return std::max(left, std::min(all, floor_.load(std::memory_order_relaxed)));
  }

 private:
  // A lane, its places in the tables, and its part of what is kept per tenant.
  static constexpr std::size_t kLaneBytes = 512;

  std::atomic<std::size_t> used_{0};
  alignas(64) std::atomic<std::size_t> capacity_;  // these are written rarely
  std::atomic<std::size_t> floor_{0};
  std::atomic<std::ptrdiff_t> lanes_{0};
};

/// What kept an entry out.
enum class Shortage : std::uint8_t { none, limit, capacity, index, size };

/// Whose entries may be taken.
enum class Force : std::uint8_t {
  above_guarantee,  ///< of whoever keeps its guarantee without them
  any,              ///< also of others: the capacity itself has shrunk
};

class alignas(64) CacheShard {
  EntryIndex index_;  // begins with what is read before the lock is taken

 public:
  SmallLock lock;

  CacheShard() = default;
  ~CacheShard();
  CacheShard(const CacheShard&) = delete;
  CacheShard& operator=(const CacheShard&) = delete;
  /// Before anything else. `shards`: how many share the budget.
  void use(Budget& budget, std::size_t shards, EvictionPolicy policy, EntryHeap* heap) noexcept {
    budget_ = &budget;
    heap_ = heap;
    index_.use(heap);
    shards_ = shards;
    policy_ = policy;
  }

  void prefetch(std::uint32_t hash) const noexcept { index_.prefetch(hash); }
  Lane* find_lane(std::uint64_t tenant_hash, const TenantId& tenant) const noexcept {
    return lanes_.find(tenant_hash, tenant);
  }
  Lane& lane_of(const CacheEntry& entry) const noexcept { return *lanes_.at(entry.lane()); }
  /// nullptr if there are too many. Lanes without entries may go.
  Lane* add_lane(std::shared_ptr<TenantRecord> record);
  CacheEntry* find(const Lane& lane, std::uint32_t hash, KeyView key) const noexcept {
    return index_.find(
        hash, [&](const CacheEntry& entry) { return entry.lane() == lane.id() && entry.is(key); });
  }

  /// What was not found is often put a moment later: begins to load what that will need.
  void expect_insert(const Lane& lane, std::uint32_t hash) const noexcept {
    lane.prefetch(hash);
    if (chosen_ != nullptr) chosen_->prefetch_oldest();
    if (spare_ != nullptr) spare_->prefetch_to_write(spare_size_);
  }
  /// The same a moment later, when something of `bytes` is about to be put: what makes room for it?
  void expect_eviction(std::size_t bytes) const noexcept;
  /// In the memory of one that left, if that fits. Throws bad_alloc.
  CacheEntry* make_entry(const EntrySpec& spec);
  /// Takes the entry over unless there is a shortage. `old`: the entry of the same key, which
  /// leaves either way.
  Shortage insert(Lane& lane, CacheEntry* entry, CacheEntry* old, Departures& gone);
  /// Takes an entry out, and gives its bytes back.
  void remove(Lane& lane, CacheEntry* entry, EvictionCause cause, Departures& gone);

  /// Evict one entry and give its bytes back; their number, 0 if there is none that may go.
  std::size_t evict_own(Lane& lane, EvictionCause cause, Departures& gone);
  std::size_t evict_any(const Lane::Record& by, Force force, Departures& gone);

  /// Folds lanes without entries and use since the last call into their records.
  void prune();
  const std::vector<Lane*>& lanes() const noexcept { return lanes_.active(); }
  const EntryIndex& index() const noexcept { return index_; }

 private:
  struct Balance;
  static constexpr std::size_t kFewLanes = 64;

  template <class Leave>
  void remove_lanes(const Leave& leave);
  Shortage make_room(Lane& lane, Balance& balance, Departures& gone);
  void apply(Lane& lane, const Balance& balance) noexcept;
  bool evict_own_for(Lane& lane, EvictionCause cause, Balance& balance, Departures& gone);
  bool evict_for(Lane& lane, Balance& balance, Departures& gone);
  void unlink(Lane& lane, CacheEntry* entry, EvictionCause cause, const Lane::Record& by,
              Departures& gone);
  CacheEntry* next_to_leave(Lane& lane) noexcept;
  Lane* choose(Force force);
  bool still_chosen() const noexcept;

  LaneTable lanes_;
  Budget* budget_ = nullptr;
  EntryHeap* heap_ = nullptr;  // for entries and index; nullptr: malloc
  std::size_t shards_ = 1;
  EvictionPolicy policy_ = EvictionPolicy::s3_fifo;
  CacheEntry* spare_ = nullptr;         // its memory is for the next entry
  std::size_t spare_size_ = 0;          // of that memory
  std::size_t most_lanes_ = kFewLanes;  // then those without entries go
  Lane* chosen_ = nullptr;              // gives next, if there are many lanes
  double chosen_pressure_ = 0;          // when it was chosen
  std::size_t chosen_left_ = 0;         // so many times without a new choice
  std::vector<decide::ShareView> views_;
};

}  // namespace aiserve::inline v0::detail
