#include "cache/coarse_clock.hpp"

#include <doctest/doctest.h>

#include "aiserve/testing/manual_clock.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

TEST_CASE("the coarse time is behind the steady clock, goes on, and never goes back") {
  const Clock& steady = Clock::steady();
  const detail::CoarseClock coarse(steady);
  const TimePoint begin = steady.now();
  TimePoint last = coarse.now();
  CHECK(last <= steady.now());
  while (last < begin) {
    const TimePoint now = coarse.now();
    REQUIRE(now >= last);
    REQUIRE(now <= steady.now());
    last = now;
  }
}

TEST_CASE("a clock that a test moves is read exactly") {
  testing::ManualClock manual;
  const detail::CoarseClock coarse(manual);
  const TimePoint before = coarse.now();
  manual.advance(1ns);
  CHECK(coarse.now() - before == 1ns);
}
