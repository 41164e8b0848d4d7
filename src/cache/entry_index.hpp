// EntryIndex: from hash to entry. Buckets of eight slots, one cache line each; an entry lies in one
// of two (cuckoo hashing by partial keys: Fan, Andersen, Kaminsky, "MemC3", NSDI 2013), so a
// look-up reads at most two lines and a removal leaves nothing behind. A slot is a pointer of 48
// bits and 16 bits of the hash, which spare touching entries that are others.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "cache/bucket_array.hpp"
#include "cache/entry.hpp"

namespace aiserve::inline v0::detail {

class EntryIndex {
 public:
  /// Before anything else; nullptr: none.
  void use(EntryHeap* heap) noexcept { heap_ = heap; }

  /// The first entry under `hash` for which match(entry) holds; nullptr if none. Inlined, so that
  /// the processor can look beyond it while it waits for memory.
  template <class Match>
  [[gnu::always_inline]] CacheEntry* find(std::uint32_t hash, const Match& match) const noexcept {
    if (buckets_.empty()) return nullptr;
    const std::uint64_t tag = tag_of(hash);
    const std::size_t first = home(hash);
    const std::size_t second = other(first, tag);
    if (CacheEntry* entry = find_in(first, tag, match)) return entry;
    return find_in(second, tag, match);
  }

  /// Begins to load what find() will read. Any thread, without the lock.
  void prefetch(std::uint32_t hash) const noexcept {
    const Bucket* buckets = hint_.load(std::memory_order_relaxed);
    const std::size_t count = hint_size_.load(std::memory_order_relaxed);
    const std::size_t first = (std::uint64_t{hash} * count) >> 32;
    __builtin_prefetch(buckets + first);
    __builtin_prefetch(buckets + other(first, tag_of(hash), count));
  }
  /// False if there is no place for it: too many entries with one hash. Throws bad_alloc.
  bool insert(CacheEntry* entry);
  /// The entry is there.
  void replace(CacheEntry* old, CacheEntry* entry) noexcept;
  void erase(CacheEntry* entry) noexcept;

  std::size_t size() const noexcept { return size_; }
  std::size_t memory() const noexcept { return buckets_.bytes(); }

  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Bucket& bucket : buckets_) {
      for (const Slot slot : bucket.slots) {
        if (slot != 0) visit(entry_of(slot));
      }
    }
  }

 private:
  using Slot = std::uint64_t;
  static constexpr std::size_t kSlots = Bucket::kSlots;
  static constexpr int kPointerBits = Bucket::kTagShift;

  static std::uint64_t tag_of(std::uint32_t hash) noexcept { return hash & 0xffff; }
  static std::uint64_t tag_in(Slot slot) noexcept { return slot >> kPointerBits; }
  static CacheEntry* entry_of(Slot slot) noexcept {
    return reinterpret_cast<CacheEntry*>(slot & ((Slot{1} << kPointerBits) - 1));
  }
  static Slot slot_of(CacheEntry* entry) noexcept {
    return reinterpret_cast<std::uintptr_t>(entry) | tag_of(entry->hash) << kPointerBits;
  }
  std::size_t home(std::uint32_t hash) const noexcept {
    return (std::uint64_t{hash} * buckets_.size()) >> 32;
  }
  // Its own inverse, for any number of buckets.
  static std::size_t other(std::size_t bucket, std::uint64_t tag, std::size_t count) noexcept {
    const std::size_t sum = (tag * 0x9e3779b97f4a7c15ULL >> 32) * count >> 32;
    return sum >= bucket ? sum - bucket : sum + count - bucket;
  }
  std::size_t other(std::size_t bucket, std::uint64_t tag) const noexcept {
    return other(bucket, tag, buckets_.size());
  }

  template <class Match>
  CacheEntry* find_in(std::size_t bucket, std::uint64_t tag, const Match& match) const noexcept {
    const Bucket& at = buckets_[bucket];
    for (unsigned found = at.matches(tag); found != 0; found &= found - 1) {
      const Slot slot = at.slots[static_cast<std::size_t>(std::countr_zero(found)) / 2];
      if (slot == 0) continue;
      entry_of(slot)->prefetch();
      if (match(*entry_of(slot))) return entry_of(slot);
    }
    return nullptr;
  }

  Slot* find_slot(Slot slot, std::uint32_t hash) noexcept;
  bool put_into(std::size_t bucket, Slot slot) noexcept;
  bool place(Slot slot, std::uint32_t hash) noexcept;
  bool make_way(std::size_t bucket, Slot slot) noexcept;
  bool rebuild(std::size_t buckets);
  void note_place() noexcept;
  bool full() const noexcept { return size_ * 100 >= buckets_.size() * kSlots * 88; }

  BucketArray buckets_;
  EntryHeap* heap_ = nullptr;
  // Where the buckets were a moment ago, for prefetch().
  std::atomic<const Bucket*> hint_{nullptr};
  std::atomic<std::size_t> hint_size_{0};
  // Written with every insertion, so not beside what is read without the lock.
  alignas(64) std::size_t size_ = 0;
  std::uint32_t turn_ = 0;  // which slot of a full bucket moves next
};

}  // namespace aiserve::inline v0::detail
