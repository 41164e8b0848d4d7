// LatencyHistogram: counts durations in buckets that widen with the value, so that every percentile
// is right to 3 significant digits from a nanosecond to days, in bounded memory. The layout is
// HdrHistogram's (Gil Tene, hdrhistogram.org): linear up to 2047, then 1024 buckets per octave.
// Histograms of several threads or runs are merged without loss.
#pragma once

#include <cstdint>
#include <vector>

namespace tuner {

class LatencyHistogram {
 public:
  /// Values beyond are counted as this one: 2^50 ns are 13 days.
  static constexpr std::int64_t kLargest = std::int64_t{1} << 50;

  /// Negative values count as 0.
  void record(std::int64_t nanoseconds, std::uint64_t times = 1);
  void merge(const LatencyHistogram& other);

  std::uint64_t count() const noexcept { return count_; }
  std::int64_t least() const noexcept { return count_ == 0 ? 0 : least_; }
  std::int64_t most() const noexcept { return most_; }
  double mean() const noexcept;
  /// The smallest recorded value (to 0.1 %) that at least `share` of all values do not exceed;
  /// `share` from 0 to 1. 0 when nothing was recorded.
  std::int64_t percentile(double share) const noexcept;
  /// How many values are at most `nanoseconds` (to 0.1 %).
  std::uint64_t count_up_to(std::int64_t nanoseconds) const noexcept;

 private:
  std::vector<std::uint64_t> counts_;  // grows up to the largest value seen
  std::uint64_t count_ = 0;
  double sum_ = 0;
  std::int64_t least_ = kLargest;
  std::int64_t most_ = 0;
};

}  // namespace tuner
