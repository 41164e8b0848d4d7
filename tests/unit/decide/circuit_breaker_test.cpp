#include "decide/circuit_breaker.hpp"

#include <doctest/doctest.h>

using namespace aiserve::decide;
using State = CircuitBreaker::State;

namespace {

constexpr BreakerPolicy kPolicy{
    .window = 4, .failures = 2, .first_pause = 100, .longest_pause = 300};

CircuitBreaker opened(Nanos now) {
  CircuitBreaker breaker(kPolicy);
  breaker.failed(now);
  breaker.failed(now);
  REQUIRE(breaker.state() == State::open);
  return breaker;
}

}  // namespace

TEST_CASE("a breaker opens when enough of the last calls failed") {
  CircuitBreaker breaker(kPolicy);
  breaker.failed(0);
  CHECK(breaker.allow(0));
  breaker.failed(0);
  CHECK_FALSE(breaker.allow(0));
  CHECK_FALSE(breaker.allow(99));
}

TEST_CASE("failures that are far apart don't open a breaker") {
  CircuitBreaker breaker(kPolicy);
  for (int i = 0; i < 100; ++i) {
    breaker.failed(i);
    for (int k = 0; k < 3; ++k) breaker.succeeded();
  }
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("after the pause one call probes, and its success closes the breaker") {
  CircuitBreaker breaker = opened(0);
  CHECK(breaker.allow(100));
  CHECK_FALSE(breaker.allow(100));
  breaker.succeeded();
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.allow(101));
  breaker.failed(102);
  CHECK_MESSAGE(breaker.state() == State::closed, "what failed before is forgotten");
}

TEST_CASE("the pause doubles with every failed probe, up to its limit, and is short again after") {
  CircuitBreaker breaker = opened(0);
  CHECK(breaker.allow(100));
  breaker.failed(100);
  CHECK(breaker.retry_at() == 300);
  CHECK(breaker.allow(300));
  breaker.failed(300);
  CHECK(breaker.retry_at() == 600);
  CHECK(breaker.allow(600));
  breaker.failed(600);
  CHECK(breaker.retry_at() == 900);
  CHECK(breaker.allow(900));
  breaker.succeeded();
  breaker.failed(1'000);
  breaker.failed(1'000);
  CHECK(breaker.retry_at() == 1'100);
}

TEST_CASE("calls that began before it opened change nothing when they end") {
  CircuitBreaker breaker = opened(0);
  breaker.succeeded();
  breaker.failed(50);
  CHECK(breaker.state() == State::open);
  CHECK(breaker.retry_at() == 100);
}

TEST_CASE("a probe that never reports does not keep the breaker open for ever") {
  CircuitBreaker breaker = opened(0);
  CHECK(breaker.allow(100));
  CHECK_FALSE(breaker.allow(199));
  CHECK(breaker.allow(200));
}

TEST_CASE("a probe that is withdrawn lets the next call probe at once, after no longer a pause") {
  CircuitBreaker breaker = opened(0);
  CHECK(breaker.allow(100));
  breaker.withdrawn(110);
  CHECK(breaker.allow(110));
  CHECK_FALSE(breaker.allow(110));
  breaker.failed(110);
  CHECK(breaker.retry_at() == 310);
}

TEST_CASE("only a probe can be withdrawn") {
  CircuitBreaker breaker = opened(0);
  breaker.withdrawn(50);
  CHECK_FALSE(breaker.allow(50));
  CircuitBreaker closed(kPolicy);
  closed.withdrawn(0);
  CHECK(closed.state() == State::closed);
}
