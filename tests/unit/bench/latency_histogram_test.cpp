#include "tuner/latency_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using tuner::LatencyHistogram;

namespace {

// The definition, on the values themselves.
std::int64_t exact_percentile(const std::vector<std::int64_t>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace

TEST_CASE("an empty histogram answers zero") {
  const LatencyHistogram histogram;
  CHECK(histogram.count() == 0);
  CHECK(histogram.percentile(0.99) == 0);
  CHECK(histogram.mean() == 0);
  CHECK(histogram.least() == 0);
  CHECK(histogram.most() == 0);
}

TEST_CASE("values up to 2047 ns are kept exactly") {
  LatencyHistogram histogram;
  for (std::int64_t value = 1; value <= 2047; ++value) histogram.record(value);
  for (const double share : {0.001, 0.25, 0.5, 0.75, 0.99, 1.0}) {
    const auto expected = static_cast<std::int64_t>(std::ceil(share * 2047));
    CHECK(histogram.percentile(share) == expected);
  }
  CHECK(histogram.mean() == doctest::Approx(1024));
}

TEST_CASE("every percentile of a log-normal sample is right to 3 significant digits") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency(std::log(2e6), 1.5);
  LatencyHistogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<std::int64_t>(latency(random)));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto exact = static_cast<double>(exact_percentile(values, share));
    const auto seen = static_cast<double>(histogram.percentile(share));
    CHECK(seen >= exact);
    CHECK(seen <= exact * 1.001);
  }
}

TEST_CASE("merged histograms are the histogram of all values") {
  LatencyHistogram a;
  LatencyHistogram b;
  LatencyHistogram both;
  for (std::int64_t i = 0; i < 5000; ++i) {
    const std::int64_t value = i * i * 37;
    (i % 3 == 0 ? a : b).record(value);
    both.record(value);
  }
  a.merge(b);
  CHECK(a.count() == both.count());
  CHECK(a.least() == both.least());
  CHECK(a.most() == both.most());
  CHECK(a.mean() == doctest::Approx(both.mean()));
  for (double share = 0; share <= 1; share += 0.01) {
    CHECK(a.percentile(share) == both.percentile(share));
  }
}

TEST_CASE("values out of range are clamped and counted") {
  LatencyHistogram histogram;
  histogram.record(-5);
  histogram.record(INT64_MAX);
  CHECK(histogram.count() == 2);
  CHECK(histogram.least() == 0);
  CHECK(histogram.most() == LatencyHistogram::kLargest);
  CHECK(histogram.percentile(1) == LatencyHistogram::kLargest);
}

TEST_CASE("it can be asked how many values lie below a limit") {
  LatencyHistogram histogram;
  histogram.record(1'000'000, 90);
  histogram.record(20'000'000, 10);
  CHECK(histogram.count_up_to(10'000'000) == 90);
  CHECK(histogram.count_up_to(30'000'000) == 100);
  CHECK(histogram.count_up_to(-1) == 0);
}
