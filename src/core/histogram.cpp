#include "aiserve/core/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <new>

namespace aiserve::inline v0 {
namespace {

constexpr int kSubBits = 4;  // 16 buckets per power of two
constexpr int kLowest = -24;
constexpr int kHighest = 32;
// Bucket 0 holds what is at most 2^-24; then 16 per power of two. Larger values go to the last.
constexpr std::size_t kBuckets = (static_cast<std::size_t>(kHighest - kLowest) << kSubBits) + 1;

constexpr int kMantissaBits = 52;
constexpr int kExponentBias = 1023;
constexpr std::uint64_t kFirst = static_cast<std::uint64_t>(kExponentBias + kLowest) << kSubBits;

// Precondition: not NaN. Bounds belong to the bucket below them: one is taken from the bits, so
// that exact powers of two and 16th steps fall before the cut.
std::size_t bucket_of(double value) noexcept {
  constexpr double kSmallest = 0x1p-24;
  if (value <= kSmallest) return 0;
  const std::uint64_t step =
      (std::bit_cast<std::uint64_t>(value) - 1) >> (kMantissaBits - kSubBits);
  return std::min<std::size_t>(static_cast<std::size_t>(step - kFirst) + 1, kBuckets - 1);
}

double upper_bound(std::size_t bucket) noexcept {
  return std::bit_cast<double>((kFirst + bucket) << (kMantissaBits - kSubBits));
}

double lower_bound(std::size_t bucket) noexcept {
  return bucket == 0 ? 0 : upper_bound(bucket - 1);
}

constexpr std::array<double, 18> kLatency{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                          0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                          1,      2.5,     5,      10,    30,     60};
constexpr std::array<double, 11> kSizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

}  // namespace

namespace bounds {
std::span<const double> latency() noexcept { return kLatency; }
std::span<const double> sizes() noexcept { return kSizes; }
}  // namespace bounds

void HistogramSnapshot::observe(double value, std::uint64_t times) {
  if (std::isnan(value)) return;
  buckets_.resize(kBuckets);
  const double counted = std::max(value, 0.0);
  buckets_[bucket_of(counted)] += times;
  count_ += times;
  sum_ += std::min(counted, upper_bound(kBuckets - 1)) * static_cast<double>(times);
}

void HistogramSnapshot::merge(const HistogramSnapshot& other) {
  if (other.buckets_.empty()) return;
  buckets_.resize(kBuckets);
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
}

HistogramSnapshot HistogramSnapshot::since(const HistogramSnapshot& earlier) const {
  HistogramSnapshot rest = *this;
  if (earlier.buckets_.empty() || buckets_.empty()) return rest;
  rest.count_ = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    rest.buckets_[i] -= std::min(rest.buckets_[i], earlier.buckets_[i]);
    rest.count_ += rest.buckets_[i];
  }
  rest.sum_ = rest.count_ == 0 ? 0 : std::max(0.0, sum_ - earlier.sum_);
  return rest;
}

double HistogramSnapshot::quantile(double q) const noexcept {
  if (count_ == 0) return 0;
  // Nearest rank: the ceil(q n)-th value, found in its bucket by proportion.
  const double scaled = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
  const std::uint64_t rank =
      std::clamp<std::uint64_t>(static_cast<std::uint64_t>(scaled), 1, count_);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const std::uint64_t here = buckets_[i];
    if (below + here < rank) {
      below += here;
      continue;
    }
    if (i == 0) return 0;
    const double part = (static_cast<double>(rank - below) - 0.5) / static_cast<double>(here);
    return lower_bound(i) + (upper_bound(i) - lower_bound(i)) * part;
  }
  return upper_bound(kBuckets - 1);
}

std::uint64_t HistogramSnapshot::count_at_most(double bound) const noexcept {
  if (buckets_.empty() || std::isnan(bound) || bound < 0) return 0;
  if (bound >= upper_bound(kBuckets - 1)) return count_;
  const std::size_t cut = bucket_of(bound);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < cut; ++i) below += buckets_[i];
  if (cut == 0) return buckets_[0];
  const double part = (bound - lower_bound(cut)) / (upper_bound(cut) - lower_bound(cut));
  return below + static_cast<std::uint64_t>(static_cast<double>(buckets_[cut]) * part);
}

struct alignas(64) Histogram::Shard {
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets{};
  std::atomic<double> sum{0};
};

Histogram::~Histogram() {
  for (auto& shard : shards_) delete shard.load(std::memory_order_relaxed);
}

Histogram::Shard* Histogram::shard(std::uint32_t slot) noexcept {
  Shard* known = shards_[slot].load(std::memory_order_acquire);
  if (known != nullptr) return known;
  auto* fresh = new (std::nothrow) Shard;
  if (fresh == nullptr) return nullptr;
  if (shards_[slot].compare_exchange_strong(known, fresh, std::memory_order_acq_rel)) return fresh;
  delete fresh;  // another thread of a shared slot was first
  return known;
}

void Histogram::observe(double value) noexcept {
  if (std::isnan(value)) return;
  const std::uint32_t slot = detail::thread_slot();
  Shard* const mine = shard(slot);
  if (mine == nullptr) return;  // out of memory: a lost sample beats a lost request
  const double counted = std::clamp(value, 0.0, upper_bound(kBuckets - 1));
  detail::add_to_cell<std::uint64_t>(mine->buckets[bucket_of(counted)], slot, 1);
  detail::add_to_cell(mine->sum, slot, counted);
}

HistogramSnapshot Histogram::snapshot() const {
  HistogramSnapshot all;
  for (const auto& slot : shards_) {
    const Shard* shard = slot.load(std::memory_order_acquire);
    if (shard == nullptr) continue;
    all.buckets_.resize(kBuckets);
    for (std::size_t i = 0; i < kBuckets; ++i) {
      const std::uint64_t here = shard->buckets[i].load(std::memory_order_relaxed);
      all.buckets_[i] += here;
      all.count_ += here;
    }
    all.sum_ += shard->sum.load(std::memory_order_relaxed);
  }
  return all;
}

}  // namespace aiserve::inline v0
