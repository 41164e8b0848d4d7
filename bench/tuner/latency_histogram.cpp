#include "tuner/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tuner {
namespace {

constexpr std::uint64_t kHalf = 1024;  // buckets per octave; the first 2 * kHalf are one wide

std::size_t index_of(std::int64_t value) noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  const int width = static_cast<int>(std::bit_width(bits));
  const int shift = std::max(width - 11, 0);
  return static_cast<std::size_t>(static_cast<std::uint64_t>(shift) * kHalf + (bits >> shift));
}

// The largest value of a bucket.
std::int64_t upper_end(std::size_t index) noexcept {
  if (index < 2 * kHalf) return static_cast<std::int64_t>(index);
  const std::uint64_t shift = index / kHalf - 1;
  const std::uint64_t within = index % kHalf + kHalf;
  return static_cast<std::int64_t>(((within + 1) << shift) - 1);
}

}  // namespace

void LatencyHistogram::record(std::int64_t nanoseconds, std::uint64_t times) {
  const std::int64_t value = std::clamp<std::int64_t>(nanoseconds, 0, kLargest);
  const std::size_t index = index_of(value);
  if (index >= counts_.size()) counts_.resize(index + 1);
  counts_[index] += times;
  count_ += times;
  sum_ += static_cast<double>(value) * static_cast<double>(times);
  least_ = std::min(least_, value);
  most_ = std::max(most_, value);
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  least_ = std::min(least_, other.least_);
  most_ = std::max(most_, other.most_);
}

double LatencyHistogram::mean() const noexcept {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::int64_t LatencyHistogram::percentile(double share) const noexcept {
  const double exact = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(static_cast<std::uint64_t>(exact), 1);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::clamp(upper_end(i), least_, most_);
  }
  return 0;
}

std::uint64_t LatencyHistogram::count_up_to(std::int64_t nanoseconds) const noexcept {
  if (nanoseconds < 0) return 0;
  const std::size_t last = index_of(std::min(nanoseconds, kLargest));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size() && i <= last; ++i) seen += counts_[i];
  return seen;
}

}  // namespace tuner
