#include "decide/key_refresh.hpp"

#include <doctest/doctest.h>

namespace aiserve::decide {
namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr KeyRefreshRules kRules{600 * kSecond, 3600 * kSecond, 30 * kSecond};

KeyStep step(const KeyRefreshState& state, bool known, Nanos seconds) {
  return next_key_step(kRules, state, known, seconds * kSecond);
}

TEST_CASE("without keys one waits for the first fetch, and is told so while it is too early") {
  CHECK(step({}, false, 0) == KeyStep::wait);
  CHECK(step({.loaded = {}, .tried = 0, .fetching = true}, false, 5) == KeyStep::wait);
  CHECK(step({.loaded = {}, .tried = 0}, false, 29) == KeyStep::unavailable);
  CHECK(step({.loaded = {}, .tried = 0}, false, 30) == KeyStep::wait);
}

TEST_CASE("known keys are used at once, fetched when they are due, and kept when that fails") {
  const KeyRefreshState fresh{.loaded = 0, .tried = 0};
  CHECK(step(fresh, true, 599) == KeyStep::use);
  CHECK(step(fresh, true, 600) == KeyStep::use_and_refresh);
  CHECK(step({.loaded = 0, .tried = 600 * kSecond, .fetching = true}, true, 640) == KeyStep::use);
  const KeyRefreshState failed{.loaded = 0, .tried = 600 * kSecond};
  CHECK(step(failed, true, 629) == KeyStep::use);
  CHECK(step(failed, true, 630) == KeyStep::use_and_refresh);
}

TEST_CASE("keys that could not be renewed for too long are no keys") {
  CHECK(step({.loaded = 0, .tried = 3599 * kSecond}, true, 3599) == KeyStep::use);
  CHECK(step({.loaded = 0, .tried = 3599 * kSecond}, true, 3600) == KeyStep::unavailable);
  CHECK(step({.loaded = 0, .tried = 3500 * kSecond}, true, 3600) == KeyStep::wait);
}

TEST_CASE("unknown keys lead to one fetch per cool-down") {
  const KeyRefreshState state{.loaded = 0, .tried = 0};
  CHECK(step(state, false, 29) == KeyStep::refuse);
  CHECK(step(state, false, 30) == KeyStep::wait);
  CHECK(step({.loaded = 0, .tried = 30 * kSecond, .fetching = true}, false, 31) == KeyStep::wait);
  CHECK(step({.loaded = 0, .tried = 30 * kSecond}, false, 59) == KeyStep::refuse);
}

TEST_CASE("a known key needs no second look until something could have changed") {
  for (const KeyRefreshState& state :
       {KeyRefreshState{.loaded = 0, .tried = 0},
        KeyRefreshState{.loaded = 0, .tried = 590 * kSecond},
        KeyRefreshState{.loaded = 0, .tried = 3590 * kSecond},
        KeyRefreshState{.loaded = 100 * kSecond, .tried = 100 * kSecond}}) {
    const Nanos look = next_key_look(kRules, state, 0);
    CHECK(next_key_step(kRules, state, true, look - 1) == KeyStep::use);
    CHECK(next_key_step(kRules, state, true, look) != KeyStep::use);
  }
  CHECK(next_key_look(kRules, {}, 7) == 7);
}

}  // namespace
}  // namespace aiserve::decide
