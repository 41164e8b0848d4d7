#include "cache/entry.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "cache/entry_heap.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::uint64_t kMostMs = (1ULL << 48) - 1;
// Slots of 8 bytes, filled to three quarters on average.
constexpr std::size_t kIndexShare = 11;
// What Bytes puts before a block of its own, and the allocator's rounding.
constexpr std::size_t kBlockShare = 80;

// What malloc takes for `size` bytes: a word before them, rounded to 16. An EntryHeap takes less.
constexpr std::size_t allocated(std::size_t size) noexcept { return (size + 8 + 15) & ~15ULL; }

}  // namespace

static_assert(sizeof(CacheEntry) == 56);

CacheEntry::CacheEntry(const EntrySpec& spec, std::uint32_t size) noexcept
    : hash(spec.hash),
      stamp(spec.stamp),
      stored_ms_(spec.now_ms & kMostMs),
      key_size_(spec.key.bytes().size() & 0xffff),
      ttl_(spec.ttl),
      soft_ttl_(spec.soft_ttl),
      lane_(0),
      labels_(spec.labels.size() & 0xff),
      cost_(spec.cost),
      hits_(0),
      laps_(0),
      in_main_(0),
      flags_(flags_of(spec) & 15u),
      lent_(0) {
  references.store(kReferences, std::memory_order_relaxed);
  packed = size;
}

std::uint16_t CacheEntry::flags_of(const EntrySpec& spec) noexcept {
  return static_cast<std::uint16_t>(
      (spec.key.structured() ? kStructured : 0) | (spec.negative ? kNegative : 0) |
      (is_shared(spec) ? kShared : 0) | (spec.grace.ms() != 0 ? kGrace : 0));
}

std::size_t CacheEntry::size_for(const EntrySpec& spec) noexcept {
  const std::size_t words = spec.labels.size() + (spec.grace.ms() != 0 ? 1 : 0);
  const std::size_t offset = align_up(labels_offset(spec.key.bytes().size()) + 4 * words, 8);
  return offset + (is_shared(spec) ? sizeof(Bytes) : spec.value->size());
}

CacheEntry* CacheEntry::construct(void* memory, const EntrySpec& spec, std::size_t size,
                                  std::uint32_t pooled) noexcept {
  auto* entry = new (memory) CacheEntry(spec, static_cast<std::uint32_t>(size) | pooled);
  if (!spec.key.bytes().empty()) {
    std::memcpy(entry->body(), spec.key.bytes().data(), spec.key.bytes().size());
  }
  entry->write_body(spec);
  return entry;
}

CacheEntry* CacheEntry::create(const EntrySpec& spec, EntryHeap* heap) {
  const std::size_t size = size_for(spec);
  void* memory = heap != nullptr ? heap->allocate(size) : nullptr;
  if (memory != nullptr) return construct(memory, spec, size, kPooled);
  return construct(::operator new(size), spec, size, 0);
}

CacheEntry* CacheEntry::recreate(const EntrySpec& spec, CacheEntry* spare) noexcept {
  const std::size_t size = size_for(spec);
  if (spare->packed_size() != size) return nullptr;
  return construct(spare, spec, size, kPooled);
}

void CacheEntry::write_body(const EntrySpec& spec) noexcept {
  char* start = reinterpret_cast<char*>(this);
  char* labels = start + labels_offset(key_size_);
  if (!spec.labels.empty()) std::memcpy(labels, spec.labels.data(), 4 * spec.labels.size());
  if (has(kGrace)) std::memcpy(labels + 4 * spec.labels.size(), &spec.grace, 4);
  char* value = start + value_offset();
  if (has(kShared)) {
    new (value) Bytes(*spec.value);
  } else if (!spec.value->empty()) {
    std::memcpy(value, spec.value->data(), spec.value->size());
  }
}

// Readers get at the value under the shard's lock only, or from each other: while there are none
// and the shard is locked, there will be none.
bool CacheEntry::overwrite(const EntrySpec& spec) noexcept {
  if (has(kShared) || spec.value->size() > kMostInline) return false;
  if (packed_size() != value_offset() + spec.value->size()) return false;
  if (spec.labels.size() != labels_ || (spec.grace.ms() != 0) != has(kGrace)) return false;
  if (!nobody_reads()) return false;
  stamp = spec.stamp;
  stored_ms_ = spec.now_ms & kMostMs;
  ttl_ = spec.ttl;
  soft_ttl_ = spec.soft_ttl;
  cost_ = ShortCost(spec.cost);
  flags_ = flags_of(spec) & 15u;
  write_body(spec);
  return true;
}

void CacheEntry::drop(CacheEntry* entry) noexcept {
  if (entry->has(kShared)) entry->shared_value().~Bytes();
  const std::uint32_t held = entry->held();
  if (entry->references.fetch_sub(held, std::memory_order_acq_rel) == held) free_block(entry);
}

Bytes& CacheEntry::shared_value() noexcept {
  return *std::launder(reinterpret_cast<Bytes*>(reinterpret_cast<char*>(this) + value_offset()));
}

CacheLabel CacheEntry::label(std::size_t i) const noexcept {
  CacheLabel label;
  const auto* start = reinterpret_cast<const char*>(this);
  std::memcpy(&label, start + labels_offset(key_size_) + 4 * i, sizeof(label));
  return label;
}

std::uint64_t CacheEntry::grace_ms() const noexcept {
  if (!has(kGrace)) return 0;
  ShortDuration grace;
  const auto* start = reinterpret_cast<const char*>(this);
  std::memcpy(static_cast<void*>(&grace), start + labels_offset(key_size_) + 4 * labels_,
              sizeof(grace));
  return grace.ms();
}

std::size_t CacheEntry::charge() const noexcept {
  const std::size_t own = allocated(packed_size()) + kIndexShare;
  if (!has(kShared)) return own;
  const Bytes& value = const_cast<CacheEntry*>(this)->shared_value();
  return own + value.block_size() + kBlockShare;
}

}  // namespace aiserve::inline v0::detail
