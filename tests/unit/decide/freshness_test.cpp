#include "decide/freshness.hpp"

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr std::uint64_t kMiddle = std::uint64_t{1} << 63;  // no jitter

}  // namespace

TEST_CASE("an entry is fresh, then stale, then good for errors only, then gone") {
  const Expiry at = expiry({.soft = 10, .hard = 20, .stale_if_error = 30}, 100, kMiddle);
  CHECK(freshness(at, 100) == Freshness::fresh);
  CHECK(freshness(at, 109) == Freshness::fresh);
  CHECK(freshness(at, 110) == Freshness::stale);
  CHECK(freshness(at, 119) == Freshness::stale);
  CHECK(freshness(at, 120) == Freshness::on_error);
  CHECK(freshness(at, 149) == Freshness::on_error);
  CHECK(freshness(at, 150) == Freshness::gone);
}

TEST_CASE("without a soft limit nothing is served stale, without a hard one nothing expires") {
  const Expiry hard = expiry({.hard = 20}, 0, kMiddle);
  CHECK(freshness(hard, 19) == Freshness::fresh);
  CHECK(freshness(hard, 20) == Freshness::gone);
  const Expiry never = expiry({}, 0, 0);
  CHECK(freshness(never, kNever - 1) == Freshness::fresh);
}

TEST_CASE("a soft limit beyond the hard one is the hard one") {
  const Expiry at = expiry({.soft = 50, .hard = 20}, 0, kMiddle);
  CHECK(at.soft == 20);
}

TEST_CASE("jitter spreads lifetimes evenly around what was asked, and never beyond its share") {
  constexpr Nanos kHard = 1'000'000;
  const Lifetimes lifetimes{.soft = kHard / 2, .hard = kHard, .jitter = 0.1};
  const Expiry shortest = expiry(lifetimes, 0, 0);
  const Expiry longest = expiry(lifetimes, 0, UINT64_MAX);
  CHECK(shortest.hard == 900'000);
  CHECK(shortest.soft == 450'000);
  CHECK(longest.hard <= 1'100'000);
  CHECK(longest.hard >= 1'099'999);
  CHECK(expiry(lifetimes, 0, kMiddle).hard == kHard);
}

TEST_CASE("lifetimes near the end of time saturate") {
  const Expiry at =
      expiry({.soft = kNever - 1, .hard = kNever - 1, .jitter = 1}, 1'000, UINT64_MAX);
  CHECK(at.hard == kNever);
  CHECK(at.last == kNever);
  CHECK(saturating_add(kNever - 5, 10) == kNever);
  CHECK(saturating_add(INT64_MIN + 5, -10) == INT64_MIN);
}

TEST_CASE("a clock that stands before the moment of storing finds the entry fresh") {
  const Expiry at = expiry({.soft = 10, .hard = 20}, 100, kMiddle);
  CHECK(freshness(at, -5'000) == Freshness::fresh);
}
