// Lane: one tenant's entries within one shard, in the order in which they leave. Guarded by the
// shard's lock. The rules are in decide/s3_fifo.hpp and decide/retention.hpp.
#pragma once

#include <cstddef>
#include <memory>

#include "cache/entry_queue.hpp"
#include "cache/tenant_record.hpp"
#include "decide/ghost_table.hpp"
#include "decide/retention.hpp"
#include "decide/s3_fifo.hpp"
#include "decide/tenant_share.hpp"

namespace aiserve::inline v0::detail {

class alignas(64) Lane {
  // First, so that a look-up gets along with one line.
  std::shared_ptr<TenantRecord> record_;
  const LaneId id_;
  const bool lru_;

 public:
  CacheCounts counts{};

  using Record = std::shared_ptr<TenantRecord>;

  Lane(Record record, LaneId id, EvictionPolicy policy) noexcept
      : record_(std::move(record)), id_(id), lru_(policy == EvictionPolicy::lru) {}

  TenantRecord& record() const noexcept { return *record_; }
  const Record& shared_record() const noexcept { return record_; }
  LaneId id() const noexcept { return id_; }

  void insert(CacheEntry* entry, std::size_t charge);
  /// In the place of an entry of the same key: keeps its queue and its hits.
  void replace(CacheEntry* old, CacheEntry* entry) noexcept;
  void remove(CacheEntry* entry) noexcept;
  void hit(CacheEntry* entry) noexcept {
    entry->hit();
    if (lru_) to_newest(entry);
  }

  /// Begins to load what inserting an entry of this hash reads, and what leaves next.
  void prefetch(std::uint32_t hash) const noexcept { ghosts_.prefetch(hash); }
  void prefetch_oldest() const noexcept {
    __builtin_prefetch(small_.oldest());
    __builtin_prefetch(main_.oldest());
  }
  /// Where next_to_leave() will begin to look; nullptr if there is none.
  CacheEntry* next_candidate() const noexcept;
  /// The entry that leaves next, nullptr if there is none. Moves those that earned to stay.
  CacheEntry* next_to_leave() noexcept;
  /// Its fingerprint stays. To be called before remove().
  void remember(const CacheEntry& entry);

  /// As decide::may_lose() of its view().
  bool may_lose() const noexcept {
    return decide::may_lose({.spare = spare(), .next = average_charge()});
  }
  /// `shards`: how many there are.
  decide::ShareView view(std::size_t shards) const noexcept;
  std::size_t bytes() const noexcept { return small_.bytes() + main_.bytes(); }
  std::size_t size() const noexcept { return small_.size() + main_.size(); }
  bool empty() const noexcept { return size() == 0; }
  std::size_t average_charge() const noexcept { return empty() ? 0 : bytes() / size(); }
  /// True if it has no entries; then its counts are in the record.
  bool retire_if_empty();
  /// The same, if it was not used since the last call either.
  bool retire_if_idle();

 private:
  EntryQueue& queue_of(const CacheEntry& entry) noexcept {
    return entry.in_main() ? main_ : small_;
  }
  std::size_t spare() const noexcept;
  decide::FifoQueue queue_to_evict() const noexcept {
    return decide::queue_to_evict({small_.bytes(), small_.size(), main_.bytes(), main_.size()});
  }
  void to_newest(CacheEntry* entry) noexcept;
  void move_to_main(CacheEntry* entry) noexcept;

  EntryQueue small_;
  EntryQueue main_;
  std::uint64_t used_before_ = 0;  // lookups and inserts at the last retire_if_idle()
  decide::GhostTable ghosts_;
  decide::GhostRate ghost_rate_;
  decide::CostAverage cost_;
};

}  // namespace aiserve::inline v0::detail
