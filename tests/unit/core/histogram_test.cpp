#include <aiserve/core/histogram.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <doctest/doctest.h>

using aiserve::Histogram;
using aiserve::HistogramSnapshot;
using namespace std::chrono_literals;

namespace {

// The nearest-rank quantile of the values themselves.
double true_quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double rank = std::max(1.0, std::ceil(q * static_cast<double>(values.size())));
  return values[static_cast<std::size_t>(rank) - 1];
}

void check_quantiles(const std::vector<double>& values) {
  Histogram histogram;
  for (const double value : values) histogram.observe(value);
  const HistogramSnapshot snapshot = histogram.snapshot();
  CHECK(snapshot.count() == values.size());
  for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    CAPTURE(q);
    const double truth = true_quantile(values, q);
    CHECK(std::abs(snapshot.quantile(q) - truth) <= truth * 0.0625);
  }
}

}  // namespace

TEST_CASE("an empty histogram has no values") {
  const HistogramSnapshot snapshot = Histogram().snapshot();
  CHECK(snapshot.count() == 0);
  CHECK(snapshot.sum() == 0);
  CHECK(snapshot.mean() == 0);
  CHECK(snapshot.quantile(0.5) == 0);
  CHECK(snapshot.count_at_most(1) == 0);
}

TEST_CASE("quantiles are within 6.25 percent of the truth, over twelve orders of magnitude") {
  std::mt19937_64 random(1);
  std::vector<double> values;
  SUBCASE("uniform") {
    std::uniform_real_distribution<double> draw(0.001, 0.1);
    for (int i = 0; i < 20'000; ++i) values.push_back(draw(random));
  }
  SUBCASE("log-normal, as latencies are") {
    std::lognormal_distribution<double> draw(-5, 1.5);
    for (int i = 0; i < 20'000; ++i) values.push_back(draw(random));
  }
  SUBCASE("log-uniform from 100 ns to a day") {
    std::uniform_real_distribution<double> draw(std::log(1e-7), std::log(86400));
    for (int i = 0; i < 20'000; ++i) values.push_back(std::exp(draw(random)));
  }
  SUBCASE("whole numbers") {
    std::uniform_int_distribution<int> draw(1, 128);
    for (int i = 0; i < 20'000; ++i) values.push_back(draw(random));
  }
  SUBCASE("one value") { values.push_back(0.0123); }
  check_quantiles(values);
}

TEST_CASE(
    "bounds that are powers of two or 16th steps between them count exactly and inclusively") {
  Histogram histogram;
  for (int size = 1; size <= 32; ++size) histogram.observe(size);
  const HistogramSnapshot snapshot = histogram.snapshot();
  for (int size = 1; size <= 32; ++size) {
    CHECK(snapshot.count_at_most(size) == static_cast<std::uint64_t>(size));
  }
  CHECK(snapshot.sum() == 528);
  CHECK(snapshot.mean() == 16.5);
}

TEST_CASE("the count up to a bound never falls with the bound nor with more values") {
  Histogram histogram;
  std::mt19937_64 random(2);
  std::lognormal_distribution<double> draw(-5, 1.5);
  std::vector<std::uint64_t> before(aiserve::bounds::latency().size());
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 20; ++i) histogram.observe(draw(random));
    const HistogramSnapshot snapshot = histogram.snapshot();
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const std::uint64_t now = snapshot.count_at_most(aiserve::bounds::latency()[i]);
      CHECK(now >= last);
      CHECK(now >= before[i]);
      last = before[i] = now;
    }
    CHECK(last <= snapshot.count());
  }
}

TEST_CASE("values outside of the range count at its ends, and NaN does not count") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Histogram histogram;
  for (const double value : {0.0, -1.0, -kInfinity, 1e-300, kInfinity, 1e300})
    histogram.observe(value);
  histogram.observe(std::nan(""));
  const HistogramSnapshot snapshot = histogram.snapshot();
  CHECK(snapshot.count() == 6);
  CHECK(snapshot.count_at_most(0) == 4);
  CHECK(snapshot.count_at_most(1) == 4);
  CHECK(snapshot.count_at_most(kInfinity) == 6);
  CHECK(snapshot.quantile(0.5) == 0);
  CHECK(snapshot.quantile(1) <= 0x1p32);
  CHECK(snapshot.quantile(1) > 0x1p31);
  CHECK(std::isfinite(snapshot.sum()));
}

TEST_CASE("durations count in seconds") {
  Histogram histogram;
  histogram.observe(250ms);
  CHECK(histogram.snapshot().sum() == 0.25);
}

TEST_CASE("merged snapshots equal one histogram that saw everything") {
  Histogram left;
  Histogram right;
  Histogram both;
  for (int i = 1; i < 1000; ++i) {
    (i % 3 == 0 ? left : right).observe(i * 0.001);
    both.observe(i * 0.001);
  }
  HistogramSnapshot merged = left.snapshot();
  merged.merge(right.snapshot());
  merged.merge(HistogramSnapshot());
  CHECK(merged.count() == both.snapshot().count());
  CHECK(merged.sum() == doctest::Approx(both.snapshot().sum()));
  for (const double q : {0.1, 0.5, 0.99}) CHECK(merged.quantile(q) == both.snapshot().quantile(q));
}

TEST_CASE("an interval is what came since an earlier snapshot") {
  Histogram histogram;
  for (int i = 0; i < 100; ++i) histogram.observe(1);
  const HistogramSnapshot first = histogram.snapshot();
  for (int i = 0; i < 10; ++i) histogram.observe(4);
  const HistogramSnapshot interval = histogram.snapshot().since(first);
  CHECK(interval.count() == 10);
  CHECK(interval.sum() == 40);
  CHECK(interval.quantile(0.01) > 3.7);
  CHECK(histogram.snapshot().since(HistogramSnapshot()).count() == 110);
  CHECK(first.since(first).count() == 0);
  CHECK(first.since(first).mean() == 0);
}

TEST_CASE("a snapshot records by itself") {
  HistogramSnapshot recorder;
  recorder.observe(2, 3);
  recorder.observe(std::nan(""));
  CHECK(recorder.count() == 3);
  CHECK(recorder.sum() == 6);
  CHECK(recorder.count_at_most(2) == 3);
}
