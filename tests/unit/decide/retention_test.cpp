#include "decide/retention.hpp"

#include <doctest/doctest.h>

using namespace aiserve::decide;

TEST_CASE("an entry gets a lap for every factor of four in cost per byte") {
  CHECK(laps(100, 100, 1) == 0);
  CHECK(laps(399, 100, 1) == 0);
  CHECK(laps(400, 100, 1) == 1);
  CHECK(laps(1600, 100, 1) == 2);
  CHECK(laps(6400, 100, 1) == 3);
  CHECK(laps(1e12, 1, 1) == 3);
}

TEST_CASE("a large entry has to be dearer than a small one") {
  CHECK(laps(4000, 1000, 1) == 1);
  CHECK(laps(4000, 100, 1) == 2);
}

TEST_CASE("what is unknown is worth nothing extra") {
  CHECK(laps(0, 100, 1) == 0);
  CHECK(laps(100, 100, 0) == 0);
}

TEST_CASE("the average weighs by bytes, ignores the unknown and follows the load") {
  CostAverage average;
  CHECK(average.per_byte() == 0);
  average.add(0, 1000);
  CHECK(average.per_byte() == 0);
  average.add(300, 100);
  CHECK(average.per_byte() == doctest::Approx(3));
  for (int i = 0; i < 3000; ++i) average.add(50, 100);
  CHECK(average.per_byte() == doctest::Approx(0.5));
}
