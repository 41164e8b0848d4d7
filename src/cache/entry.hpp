// CacheEntry: one block of memory that is a link of its queue, a key, and the value itself or,
// above kMostInline bytes, a reference to it. A hit touches the index, this header and the value.
//
//     header | key | labels, 4 bytes each | grace, 4 bytes | value, aligned to 8
//
// An inline value is handed out as a Bytes over this very block, and whoever is last frees it. The
// cache holds a great many references and gives one of them to each reader: its own count of them
// needs the shard's lock only, and no instruction that other cores must agree to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "aiserve/cache/cache_key.hpp"
#include "aiserve/core/bytes.hpp"
#include "cache/entry_time.hpp"
#include "cache/same_bytes.hpp"
#include "core/byte_block.hpp"
#include "decide/s3_fifo.hpp"

namespace aiserve::inline v0::detail {

/// Whatever can be invalidated as a whole, as a hash; see invalidations.hpp.
using CacheLabel = std::uint32_t;

/// Names one of a shard's lanes.
using LaneId = std::uint32_t;
inline constexpr LaneId kMostLanes = 1u << 24;

/// What an entry is made of. The views need to live during the call only.
struct EntrySpec {
  KeyView key;
  const Bytes* value = nullptr;
  std::uint32_t hash = 0;
  std::uint64_t now_ms = 0;
  ShortDuration ttl = ShortDuration::endless();
  ShortDuration soft_ttl = ShortDuration::endless();
  ShortDuration grace{};  ///< after ttl, in the place of an error
  Duration cost{};
  bool negative = false;
  std::uint32_t stamp = 0;  ///< of Invalidations::stamp(), from before the value was computed
  std::span<const CacheLabel> labels{};
};

class EntryHeap;

class CacheEntry : public ByteBlock {
 public:
  static constexpr std::size_t kMostInline = 1024;
  static constexpr std::size_t kMostLabels = 255;

  struct Drop {
    void operator()(CacheEntry* entry) const noexcept { drop(entry); }
  };

  /// In memory of the heap, if there is one. Throws bad_alloc. drop() ends it.
  static CacheEntry* create(const EntrySpec& spec, EntryHeap* heap = nullptr);
  /// In the memory of an entry that is_spare(); nullptr if that is of another size.
  static CacheEntry* recreate(const EntrySpec& spec, CacheEntry* spare) noexcept;
  /// True if the memory of this entry, which has left, may be used for another: it came from a heap
  /// and nobody holds the value.
  bool is_spare() const noexcept { return pooled() && !has(kShared) && nobody_reads(); }
  /// Takes the place of what this entry of the same key holds; its queue and its hits stay. False,
  /// and nothing done, if it does not fit exactly or a reader holds the value. The shard is locked.
  bool overwrite(const EntrySpec& spec) noexcept;
  /// Gives the cache's references up.
  static void drop(CacheEntry* entry) noexcept;

  KeyView key() const noexcept { return {{key_at(), key_size_}, has(kStructured)}; }
  bool is(KeyView key) const noexcept {
    return key.bytes().size() == key_size_ && key.structured() == has(kStructured) &&
           same_bytes(key.bytes(), {key_at(), key_size_});
  }
  Bytes value() noexcept {
    if (has(kShared)) return shared_value();
    const std::size_t offset = value_offset();
    if (packed_size() == offset) return {};
    if (lent_ == kMostLent) take_references_back();
    lent_ = (lent_ + 1u) & kMostLent;
    const auto* data = reinterpret_cast<const std::byte*>(this) + offset;
    return BytesAccess::adopt(this, data, packed_size() - offset);
  }
  /// Lines that a hit will read, all at once.
  void prefetch() const noexcept {
    const auto* at = reinterpret_cast<const char*>(this);
    for (std::size_t line = 1; line < 5; ++line) __builtin_prefetch(at + 64 * line);
  }
  /// The first lines of what an entry in the place of this one will write.
  void prefetch_to_write(std::size_t size) const noexcept {
    const auto* at = reinterpret_cast<const char*>(this);
    const std::size_t end = std::min<std::size_t>(size, 512);
    for (std::size_t line = 0; line < end; line += 64) __builtin_prefetch(at + line, 1);
  }
  CacheLabel label(std::size_t i) const noexcept;
  std::size_t labels() const noexcept { return labels_; }
  /// Bytes of memory that this entry takes, the index and the allocator's part included.
  std::size_t charge() const noexcept;

  bool negative() const noexcept { return has(kNegative); }
  std::uint64_t age_ms(std::uint64_t now_ms) const noexcept {
    return now_ms > stored_ms_ ? now_ms - stored_ms_ : 0;
  }
  bool fresh_at(std::uint64_t age_ms) const noexcept {
    return age_ms < ttl_.ms() && age_ms < soft_ttl_.ms();
  }
  std::uint64_t ttl_ms() const noexcept { return ttl_.ms(); }
  std::uint64_t soft_ttl_ms() const noexcept { return soft_ttl_.ms(); }
  std::uint64_t grace_ms() const noexcept;
  std::uint64_t cost_ns() const noexcept { return cost_.ns(); }

  decide::FifoMarks marks() const noexcept {
    return {static_cast<std::uint8_t>(hits_), static_cast<std::uint8_t>(laps_)};
  }
  void mark(decide::FifoMarks marks) noexcept {
    hits_ = marks.hits & 3;
    laps_ = marks.laps & 3;
  }
  void hit() noexcept {
    if (hits_ < decide::kMostHits) ++hits_;
  }

  // Queue, index and shard keep these.
  CacheEntry* next = nullptr;
  CacheEntry* prev = nullptr;
  std::uint32_t hash = 0;
  std::uint32_t stamp = 0;

  LaneId lane() const noexcept { return lane_; }
  void set_lane(LaneId lane) noexcept { lane_ = lane & (kMostLanes - 1); }
  bool in_main() const noexcept { return in_main_ != 0; }
  void set_in_main(bool main) noexcept { in_main_ = main; }

 private:
  static constexpr std::size_t kHeader = 56;
  static constexpr std::uint32_t kReferences = 1u << 30;
  static constexpr std::uint32_t kMostLent = 127;
  enum Flag : std::uint8_t { kStructured = 1, kNegative = 2, kShared = 4, kGrace = 8 };

  static bool is_shared(const EntrySpec& spec) noexcept { return spec.value->size() > kMostInline; }
  static std::size_t size_for(const EntrySpec& spec) noexcept;
  static CacheEntry* construct(void* memory, const EntrySpec& spec, std::size_t size,
                               std::uint32_t pooled) noexcept;
  CacheEntry(const EntrySpec& spec, std::uint32_t size) noexcept;
  bool has(Flag flag) const noexcept { return (flags_ & flag) != 0; }
  const char* key_at() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  char* body() noexcept { return reinterpret_cast<char*>(this + 1); }
  static constexpr std::size_t align_up(std::size_t size, std::size_t to) noexcept {
    return (size + to - 1) & ~(to - 1);
  }
  static constexpr std::size_t labels_offset(std::size_t key_size) noexcept {
    return kHeader + align_up(key_size, 4);
  }
  std::size_t value_offset() const noexcept {
    const std::size_t words = labels_ + (has(kGrace) ? 1u : 0u);
    return align_up(labels_offset(key_size_) + 4 * words, 8);
  }
  std::uint32_t held() const noexcept { return kReferences - lent_; }
  bool nobody_reads() const noexcept {
    return references.load(std::memory_order_acquire) == held();
  }
  void take_references_back() noexcept {
    references.fetch_add(lent_, std::memory_order_relaxed);
    lent_ = 0;
  }
  static std::uint16_t flags_of(const EntrySpec& spec) noexcept;
  void write_body(const EntrySpec& spec) noexcept;
  Bytes& shared_value() noexcept;

  std::uint64_t stored_ms_ : 48;
  std::uint64_t key_size_ : 16;
  ShortDuration ttl_;
  ShortDuration soft_ttl_;
  std::uint32_t lane_ : 24;
  std::uint32_t labels_ : 8;
  ShortCost cost_;
  std::uint16_t hits_ : 2;
  std::uint16_t laps_ : 2;
  std::uint16_t in_main_ : 1;
  std::uint16_t flags_ : 4;
  std::uint16_t lent_ : 7;  // references given to readers since take_references_back()
};

/// Entries that have left, in a chain by `next`: dropped after the shard's lock is gone.
class Departed {
 public:
  Departed() = default;
  ~Departed() {
    while (head_ != nullptr) {
      CacheEntry* entry = head_;
      head_ = entry->next;
      CacheEntry::drop(entry);
    }
  }
  Departed(const Departed&) = delete;
  Departed& operator=(const Departed&) = delete;

  void add(CacheEntry* entry) noexcept {
    entry->next = head_;
    head_ = entry;
  }

 private:
  CacheEntry* head_ = nullptr;
};

}  // namespace aiserve::inline v0::detail
