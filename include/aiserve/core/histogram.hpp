/// Histogram and HistogramSnapshot: distributions in log-linear buckets.
///
/// Each power of two is cut into 16 equal buckets (Gil Tene's HdrHistogram, in floating point),
/// from 2^-24 (60 ns, when the unit is seconds) to 2^32. A value is known to its bucket: any
/// quantile is within 6.25 % of the true one. Smaller values count as 0, larger ones as 2^32;
/// negative values count as 0, NaN is ignored. Bounds are upper bounds, inclusive, as Prometheus'
/// `le`. *Thread safety:* Histogram any thread, a few ns per value; HistogramSnapshot is a value.
///
///     Histogram& seconds = metrics.histogram("aiserve_queue_seconds", "Time in the queue.");
///     seconds.observe(clock.now() - enqueued);
///     double p99 = seconds.snapshot().quantile(0.99);
#pragma once

#include <aiserve/core/thread_slot.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace aiserve::inline v0 {

class HistogramSnapshot {
 public:
  /// Empty.
  HistogramSnapshot() = default;

  /// Adds one value, for recorders of one thread (benchmarks, load generators).
  void observe(double value, std::uint64_t times = 1);
  /// Adds the other's values to these.
  void merge(const HistogramSnapshot& other);
  /// What came since `earlier`, a snapshot of the same histogram.
  HistogramSnapshot since(const HistogramSnapshot& earlier) const;

  std::uint64_t count() const noexcept { return count_; }
  double sum() const noexcept { return sum_; }
  /// 0 if empty.
  double mean() const noexcept { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  /// The value at or below which the fraction `q` of all values lies, q in [0, 1]; 0 if empty.
  double quantile(double q) const noexcept;
  /// How many values are at most `bound`. Exact when `bound` is a power of two or a 16th step
  /// between two; else its bucket is split in proportion. Grows with the count, never falls.
  std::uint64_t count_at_most(double bound) const noexcept;

 private:
  friend class Histogram;

  std::vector<std::uint64_t> buckets_;  // empty until the first value
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

class Histogram {
 public:
  Histogram() noexcept = default;
  ~Histogram();
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void observe(double value) noexcept;
  /// In seconds.
  template <class Rep, class Period>
  void observe(std::chrono::duration<Rep, Period> value) noexcept {
    observe(std::chrono::duration<double>(value).count());
  }

  HistogramSnapshot snapshot() const;

 private:
  struct Shard;
  Shard* shard(std::uint32_t slot) noexcept;

  // 7 KiB each, made when a thread with that slot observes for the first time.
  std::array<std::atomic<Shard*>, detail::kSlots> shards_{};
};

/// Upper bounds for export, ascending; +Inf is implied.
namespace bounds {
/// 100 us to 60 s, for latencies in seconds.
std::span<const double> latency() noexcept;
/// 1, 2, 4 ... 1024, for batch sizes and depths.
std::span<const double> sizes() noexcept;
}  // namespace bounds

}  // namespace aiserve::inline v0
