#include "tuner/statistics.hpp"

#include <random>

#include <doctest/doctest.h>

using namespace tuner;

TEST_CASE("the median of an even number of values lies between the middle two") {
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, 3}) == 2.5);
  CHECK(median({}) == 0);
}

TEST_CASE("samples that do not overlap have the exact p-value of the table") {
  // 2 of C(8, 4) = 70 and of C(10, 5) = 252 orders are as extreme.
  const std::vector<double> low4{1, 2, 3, 4}, high4{5, 6, 7, 8};
  CHECK(mann_whitney_p(low4, high4) == doctest::Approx(2.0 / 70));
  CHECK(mann_whitney_p(high4, low4) == doctest::Approx(2.0 / 70));
  const std::vector<double> low5{1, 2, 3, 4, 5}, high5{6, 7, 8, 9, 10};
  CHECK(mann_whitney_p(low5, high5) == doctest::Approx(2.0 / 252));
}

TEST_CASE("a sample against itself, or against nothing, says nothing") {
  const std::vector<double> same{1, 2, 3, 4, 5};
  CHECK(mann_whitney_p(same, same) > 0.9);
  CHECK(mann_whitney_p(same, {}) == 1);
  const std::vector<double> constant{2, 2, 2};
  CHECK(mann_whitney_p(constant, constant) == 1);
}

TEST_CASE("an interleaved sample has the p-value that counting by hand gives") {
  // U = 3 of {1, 3, 5} against {2, 4, 6}; of 20 orders 7 have U <= 3 and 7 have U >= 6.
  const std::vector<double> a{1, 3, 5}, b{2, 4, 6};
  CHECK(mann_whitney_p(a, b) == doctest::Approx(14.0 / 20));
}

TEST_CASE("the normal approximation agrees with the exact count") {
  std::vector<double> a, b;
  for (int i = 0; i < 20; ++i) {
    a.push_back(i);
    b.push_back(i + 6.5);
  }
  const double exact = mann_whitney_p(a, b);  // 400 pairs
  a.push_back(9.25);
  b.push_back(16.25);
  const double approximate = mann_whitney_p(a, b);  // 441 pairs
  CHECK(exact == doctest::Approx(approximate).epsilon(0.35));
  CHECK(exact < 0.05);
}

TEST_CASE("of samples from one source about one in twenty is called different") {
  std::mt19937_64 random(11);
  std::normal_distribution<double> noise(100, 5);
  int called = 0;
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> a(8), b(8);
    for (double& value : a) value = noise(random);
    for (double& value : b) value = noise(random);
    called += mann_whitney_p(a, b) < 0.05 ? 1 : 0;
  }
  CHECK(called > 50);
  CHECK(called < 120);
}

TEST_CASE("the interval of a ratio holds the true ratio and narrows with the noise") {
  std::mt19937_64 random(5);
  std::normal_distribution<double> noise(0, 1);
  std::vector<double> a(15), quiet(15), noisy(15);
  for (double& value : a) value = 100 + noise(random);
  for (double& value : quiet) value = 120 + noise(random);
  for (double& value : noisy) value = 120 + 20 * noise(random);
  const Interval narrow = ratio_interval(a, quiet);
  const Interval wide = ratio_interval(a, noisy);
  CHECK(narrow.low < 1.2);
  CHECK(narrow.high > 1.19);
  CHECK(narrow.high - narrow.low < 0.05);
  CHECK(wide.high - wide.low > narrow.high - narrow.low);
}
