// LatencyWindow: the latencies of one observation window, and their percentiles to within 3 %.
// Pure. Log-linear buckets, 16 per power of two (Gil Tene's HdrHistogram).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

class LatencyWindow {
 public:
  void add(Nanos latency) noexcept {
    ++buckets_[bucket_of(latency)];
    ++count_;
  }
  std::size_t count() const noexcept { return count_; }

  /// The middle of the bucket that holds the `share` quantile (0 to 1); 0 when empty.
  Nanos quantile(double share) const noexcept {
    if (count_ == 0) return 0;
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(count_ - 1));
    std::size_t seen = 0;
    std::size_t bucket = 0;
    while (bucket + 1 < kBuckets && seen + buckets_[bucket] <= rank) seen += buckets_[bucket++];
    return (lower_bound(bucket) + lower_bound(bucket + 1)) / 2;
  }
  void clear() noexcept {
    buckets_.fill(0);
    count_ = 0;
  }

 private:
  static constexpr unsigned kUnitBits = 10;  // about a microsecond: the first buckets' width x 16
  static constexpr std::size_t kBuckets = 16 * 34;  // to more than an hour

  static std::size_t bucket_of(Nanos latency) noexcept {
    const auto units = static_cast<std::uint64_t>(std::max<Nanos>(latency, 0)) >> (kUnitBits - 4);
    if (units < 16) return units;
    const auto octave = static_cast<unsigned>(std::bit_width(units)) - 5;
    return std::min(kBuckets - 1, 16 * (octave + 1) + ((units >> octave) - 16));
  }
  static Nanos lower_bound(std::size_t bucket) noexcept {
    const std::size_t octave = bucket / 16;
    const std::uint64_t units =
        octave == 0 ? bucket : (std::uint64_t{16} + bucket % 16) << (octave - 1);
    return static_cast<Nanos>(units << (kUnitBits - 4));
  }

  std::array<std::uint32_t, kBuckets> buckets_{};
  std::size_t count_ = 0;
};

}  // namespace aiserve::inline v0::decide
