#include "decide/latency_window.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

TEST_CASE("quantiles of a window are within 4 percent of the true ones") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> spread(14, 1.5);  // around a millisecond
  LatencyWindow window;
  std::vector<Nanos> all;
  for (int i = 0; i < 10'000; ++i) {
    all.push_back(static_cast<Nanos>(spread(random)));
    window.add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.5, 0.9, 0.99}) {
    const auto exact = static_cast<double>(all[static_cast<std::size_t>(share * 9'999)]);
    CHECK(static_cast<double>(window.quantile(share)) == doctest::Approx(exact).epsilon(0.04));
  }
}

TEST_CASE("an empty window has quantiles of zero, and a cleared one is empty") {
  LatencyWindow window;
  CHECK(window.quantile(0.99) == 0);
  window.add(5'000'000);
  CHECK(window.count() == 1);
  window.clear();
  CHECK(window.count() == 0);
  CHECK(window.quantile(0.5) == 0);
}

TEST_CASE("times beyond the scale count at its ends") {
  LatencyWindow window;
  window.add(-5);
  CHECK(window.quantile(0.5) < 1000);
  window.clear();
  window.add(kNever);
  CHECK(window.quantile(0.5) > Nanos{3'600} * 1'000'000'000);
}
