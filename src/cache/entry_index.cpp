#include "cache/entry_index.hpp"

#include <algorithm>
#include <array>

namespace aiserve::inline v0::detail {
namespace {

constexpr std::size_t kFirstBuckets = 2;
constexpr std::size_t kSparseBuckets = 32;
constexpr int kMostMoves = 64;

}  // namespace

bool EntryIndex::put_into(std::size_t bucket, Slot slot) noexcept {
  for (Slot& place : buckets_[bucket].slots) {
    if (place != 0) continue;
    place = slot;
    return true;
  }
  return false;
}

bool EntryIndex::place(Slot slot, std::uint32_t hash) noexcept {
  const std::size_t first = home(hash);
  if (put_into(first, slot)) return true;
  const std::size_t second = other(first, tag_in(slot));
  return put_into(second, slot) || make_way(second, slot);
}

// Moves entries to their other buckets along one path, which is walked back if it leads nowhere.
bool EntryIndex::make_way(std::size_t bucket, Slot slot) noexcept {
  struct Move {
    std::size_t bucket;
    std::size_t place;
  };
  std::array<Move, kMostMoves> path;
  Slot carried = slot;
  for (int moves = 0; moves < kMostMoves; ++moves) {
    Move& move = path[static_cast<std::size_t>(moves)];
    move = {bucket, turn_++ % kSlots};
    std::swap(carried, buckets_[move.bucket].slots[move.place]);
    bucket = other(bucket, tag_in(carried));
    if (put_into(bucket, carried)) return true;
  }
  for (auto move = path.rbegin(); move != path.rend(); ++move) {
    std::swap(carried, buckets_[move->bucket].slots[move->place]);
  }
  return false;
}

bool EntryIndex::rebuild(std::size_t buckets) {
  BucketArray old(buckets, heap_);
  old.swap(buckets_);
  for (const Bucket& bucket : old) {
    for (const Slot slot : bucket.slots) {
      if (slot == 0 || place(slot, entry_of(slot)->hash)) continue;
      buckets_.swap(old);
      return false;
    }
  }
  return true;
}

void EntryIndex::note_place() noexcept {
  hint_.store(buckets_.data(), std::memory_order_relaxed);
  hint_size_.store(buckets_.size(), std::memory_order_relaxed);
}

bool EntryIndex::insert(CacheEntry* entry) {
  if (buckets_.empty()) {
    buckets_ = BucketArray(kFirstBuckets, heap_);
    note_place();
  }
  const Slot slot = slot_of(entry);
  std::size_t buckets = buckets_.size();
  while (full() || !place(slot, entry->hash)) {
    // A sparse table that has no place holds too many entries with this very hash.
    if (size_ * 8 < buckets * kSlots && buckets > kSparseBuckets) return false;
    buckets += std::max<std::size_t>(1, buckets / 2);
    static_cast<void>(rebuild(buckets));
    note_place();
  }
  ++size_;
  return true;
}

EntryIndex::Slot* EntryIndex::find_slot(Slot slot, std::uint32_t hash) noexcept {
  const std::size_t first = home(hash);
  for (const std::size_t bucket : {first, other(first, tag_in(slot))}) {
    for (Slot& place : buckets_[bucket].slots) {
      if (place == slot) return &place;
    }
  }
  return nullptr;
}

void EntryIndex::replace(CacheEntry* old, CacheEntry* entry) noexcept {
  *find_slot(slot_of(old), old->hash) = slot_of(entry);
}

void EntryIndex::erase(CacheEntry* entry) noexcept {
  *find_slot(slot_of(entry), entry->hash) = 0;
  --size_;
}

}  // namespace aiserve::inline v0::detail
