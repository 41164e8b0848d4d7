#include "tuner/axis.hpp"

#include <doctest/doctest.h>

using namespace tuner;

TEST_CASE("a linear axis begins at zero and has round ticks beyond the data") {
  const Axis axis(Scale::linear, 30, 1170);
  CHECK(axis.ticks() == std::vector<double>{0, 500, 1000, 1500});
  CHECK(axis.position(0) == 0);
  CHECK(axis.position(750) == doctest::Approx(0.5));
  CHECK(axis.position(9999) == 1);
}

TEST_CASE("values below zero move the begin of a linear axis") {
  const Axis axis(Scale::linear, -3, 7);
  CHECK(axis.low() == -4);
  CHECK(axis.high() == 8);
}

TEST_CASE("a logarithmic axis ticks at 1, 2 and 5 while it is short") {
  const Axis axis(Scale::log, 0.7, 42);
  CHECK(axis.low() == doctest::Approx(0.5));
  CHECK(axis.high() == doctest::Approx(50));
  CHECK(axis.ticks().size() == 7);
  CHECK(axis.position(5) == doctest::Approx(0.5));
}

TEST_CASE("a long logarithmic axis ticks at powers of ten") {
  const Axis axis(Scale::log, 1, 100'000);
  CHECK(axis.ticks().size() == 6);
}

TEST_CASE("an axis over one value or none still has an extent") {
  CHECK(Axis(Scale::linear, 0, 0).high() > 0);
  CHECK(Axis(Scale::log, 10, 10).high() > 10);
  CHECK(Axis(Scale::log, 0, 0).position(0) == 0);
}

TEST_CASE("numbers are written short") {
  CHECK(short_number(0.5) == "0.5");
  CHECK(short_number(0) == "0");
  CHECK(short_number(12'000) == "12k");
  CHECK(short_number(1'500'000) == "1.5M");
}
