// BucketArray: the memory of an index, in huge pages if there is a heap that has them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "cache/entry_heap.hpp"

namespace aiserve::inline v0::detail {

struct alignas(64) Bucket {
  static constexpr std::size_t kSlots = 8;
  static constexpr int kTagShift = 48;
  std::array<std::uint64_t, kSlots> slots{};

  /// Bit 2 i is set if the upper 16 bits of slot i are `tag`; those of an empty slot are 0.
  unsigned matches(std::uint64_t tag) const noexcept;
};

#ifdef __SSE2__
inline unsigned Bucket::matches(std::uint64_t tag) const noexcept {
  const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(tag));
  const auto pair = [&](std::size_t first) {
    const auto* at = reinterpret_cast<const __m128i*>(slots.data() + first);
    return _mm_cmpeq_epi32(_mm_srli_epi64(_mm_load_si128(at), kTagShift), wanted);
  };
  // Of each slot's two halves the lower says whether the tags are equal, the upper is always so.
  const __m128i low = _mm_packs_epi32(pair(0), pair(2));
  const __m128i high = _mm_packs_epi32(pair(4), pair(6));
  const auto halves = static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
  return halves & 0x5555;
}
#else
inline unsigned Bucket::matches(std::uint64_t tag) const noexcept {
  unsigned found = 0;
  for (std::size_t i = 0; i < kSlots; ++i) {
    found |= static_cast<unsigned>(slots[i] >> kTagShift == tag) << (2 * i);
  }
  return found;
}
#endif

class BucketArray {
 public:
  BucketArray() noexcept = default;
  /// Empty buckets. Throws bad_alloc.
  BucketArray(std::size_t count, EntryHeap* heap)
      : heap_(heap), data_(from(heap, count)), size_(count) {
    if (data_ == nullptr) {
      heap_ = nullptr;
      data_ = static_cast<Bucket*>(::operator new(bytes(), kAlignment));
    }
    std::uninitialized_value_construct_n(data_, count);
  }
  BucketArray(BucketArray&& other) noexcept { swap(other); }
  BucketArray& operator=(BucketArray&& other) noexcept {
    swap(other);
    return *this;
  }
  ~BucketArray() {
    if (data_ == nullptr) return;
    if (heap_ != nullptr) {
      heap_->take_back_array(data_, bytes());
    } else {
      ::operator delete(static_cast<void*>(data_), kAlignment);
    }
  }

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return size_ * sizeof(Bucket); }
  Bucket* data() const noexcept { return data_; }
  Bucket* begin() const noexcept { return data_; }
  Bucket* end() const noexcept { return data_ + size_; }
  Bucket& operator[](std::size_t i) const noexcept { return data_[i]; }

  void swap(BucketArray& other) noexcept {
    std::swap(heap_, other.heap_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

 private:
  static constexpr std::align_val_t kAlignment{alignof(Bucket)};

  static Bucket* from(EntryHeap* heap, std::size_t count) noexcept {
    if (heap == nullptr) return nullptr;
    return static_cast<Bucket*>(heap->allocate_array(count * sizeof(Bucket)));
  }

  EntryHeap* heap_ = nullptr;
  Bucket* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace aiserve::inline v0::detail
