#include "tuner/arrivals.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

using namespace tuner;

namespace {

std::vector<double> gaps_of(const std::vector<Nanos>& times) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) {
    gaps.push_back(static_cast<double>(times[i] - times[i - 1]) * 1e-9);
  }
  return gaps;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  const double middle = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

}  // namespace

TEST_CASE("Poisson arrivals have the rate asked for and gaps as wide as their mean") {
  const auto times = make_arrivals({}, 1000, 100, 1);
  CHECK(times.size() == doctest::Approx(100'000).epsilon(0.02));
  CHECK(std::is_sorted(times.begin(), times.end()));
  const auto gaps = gaps_of(times);
  CHECK(mean(gaps) == doctest::Approx(0.001).epsilon(0.02));
  CHECK(deviation(gaps) == doctest::Approx(0.001).epsilon(0.02));
}

TEST_CASE("the same seed gives the same arrivals, another seed others") {
  CHECK(make_arrivals({}, 500, 2, 42) == make_arrivals({}, 500, 2, 42));
  CHECK(make_arrivals({}, 500, 2, 42) != make_arrivals({}, 500, 2, 43));
}

TEST_CASE("uniform arrivals come like a metronome") {
  const auto times = make_arrivals({.kind = ArrivalKind::uniform}, 100, 0.05, 1);
  CHECK(times == std::vector<Nanos>{0, 10'000'000, 20'000'000, 30'000'000, 40'000'000});
}

TEST_CASE("bursty arrivals keep the mean rate and never come in a pause") {
  const ArrivalPlan plan{.kind = ArrivalKind::bursty, .on_seconds = 0.02, .off_seconds = 0.08};
  const auto times = make_arrivals(plan, 2000, 50, 3);
  CHECK(times.size() == doctest::Approx(100'000).epsilon(0.02));
  for (const Nanos at : times) CHECK(at % 100'000'000 <= 20'000'000);
}

TEST_CASE("a run that ends within a burst still has the mean rate") {
  const ArrivalPlan plan{.kind = ArrivalKind::bursty, .on_seconds = 10, .off_seconds = 10};
  CHECK(make_arrivals(plan, 10'000, 5, 3).size() == doctest::Approx(50'000).epsilon(0.02));
}

TEST_CASE("a replay begins at its first time and repeats until the run is over") {
  ArrivalPlan plan{.kind = ArrivalKind::replay};
  plan.recorded = {5'000'000'000, 5'100'000'000, 5'400'000'000};
  // 0.4 s hold two gaps of 0.2 s on average: the next round begins 0.2 s after the last arrival.
  CHECK(make_arrivals(plan, 0, 1.0, 1) ==
        std::vector<Nanos>{0, 100'000'000, 400'000'000, 600'000'000, 700'000'000});
}

TEST_CASE("a replay is stretched to a rate when one is given") {
  ArrivalPlan plan{.kind = ArrivalKind::replay};
  plan.recorded = {0, 100'000'000, 400'000'000};
  CHECK(recorded_rate(plan.recorded) == doctest::Approx(5));
  CHECK(make_arrivals(plan, 50, 0.05, 1) == std::vector<Nanos>{0, 10'000'000, 40'000'000});
}

TEST_CASE("nothing arrives without a rate or without time") {
  CHECK(make_arrivals({}, 0, 1, 1).empty());
  CHECK(make_arrivals({.kind = ArrivalKind::uniform}, 10, 0, 1).empty());
  CHECK(make_arrivals({.kind = ArrivalKind::replay}, 10, 1, 1).empty());
}

TEST_CASE("streams of several tenants are merged by time") {
  const std::vector<std::vector<Nanos>> streams{{10, 30}, {20, 30, 40}};
  CHECK(merge_streams(streams) ==
        std::vector<Arrival>{{10, 0}, {20, 1}, {30, 0}, {30, 1}, {40, 1}});
}
