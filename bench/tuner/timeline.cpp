#include "tuner/timeline.hpp"

#include <algorithm>

namespace tuner {

std::string size_class_name(std::size_t size_class) {
  const std::uint64_t high = std::uint64_t{1} << size_class;
  if (high <= 2) return std::to_string(high);
  return std::to_string(high / 2 + 1) + "-" + std::to_string(high);
}

Timeline::Timeline(Nanos length, std::size_t slices, std::size_t tenants)
    : slice_length_(std::max<Nanos>(1, length / static_cast<Nanos>(slices))), slices_(slices) {
  for (Slice& slice : slices_) slice.answered.resize(tenants);
}

Slice* Timeline::slice_at(Nanos at) noexcept {
  if (at < 0) return nullptr;
  const auto index = static_cast<std::size_t>(at / slice_length_);
  return index < slices_.size() ? &slices_[index] : nullptr;
}

void Timeline::batch(Nanos at, std::uint32_t rows) noexcept {
  if (Slice* slice = slice_at(at)) ++slice->batches[size_class(rows)];
}

void Timeline::answered(Nanos at, std::uint32_t tenant) noexcept {
  if (Slice* slice = slice_at(at)) ++slice->answered[tenant];
}

std::size_t Timeline::largest_class() const noexcept {
  std::size_t largest = 0;
  for (const Slice& slice : slices_) {
    for (std::size_t i = 0; i < kSizeClasses; ++i) {
      if (slice.batches[i] != 0) largest = std::max(largest, i);
    }
  }
  return largest;
}

}  // namespace tuner
