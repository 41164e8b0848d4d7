#include "decide/lookup.hpp"

#include <doctest/doctest.h>

using namespace aiserve::decide;

TEST_CASE("what is fresh is served, what is stale is served and refreshed, the rest is loaded") {
  CHECK(decide_lookup(Found::fresh, 5, {}) == LookupAction::serve);
  CHECK(decide_lookup(Found::stale, 5, {}) == LookupAction::serve_and_refresh);
  CHECK(decide_lookup(Found::expired, 5, {}) == LookupAction::load_or_expired);
  CHECK(decide_lookup(Found::nothing, 0, {}) == LookupAction::load);
  CHECK(decide_lookup(Found::negative, 5, {}) == LookupAction::fail);
}

TEST_CASE("no-cache loads whatever was found, and lets nothing old stand in") {
  for (const Found found :
       {Found::nothing, Found::fresh, Found::stale, Found::expired, Found::negative}) {
    CHECK(decide_lookup(found, 0, {.no_cache = true}) == LookupAction::load);
  }
}

TEST_CASE("a request that names an age gets nothing older, and nothing stale") {
  CHECK(decide_lookup(Found::fresh, 5, {.max_age = 5}) == LookupAction::serve);
  CHECK(decide_lookup(Found::fresh, 6, {.max_age = 5}) == LookupAction::load);
  CHECK(decide_lookup(Found::negative, 6, {.max_age = 5}) == LookupAction::load);
  CHECK(decide_lookup(Found::stale, 1, {.max_age = 5}) == LookupAction::load);
}

TEST_CASE("a request that wants only what is cached computes nothing, and takes what is stale") {
  CHECK(decide_lookup(Found::fresh, 5, {.only_if_cached = true}) == LookupAction::serve);
  CHECK(decide_lookup(Found::stale, 5, {.only_if_cached = true}) ==
        LookupAction::serve_and_refresh);
  CHECK(decide_lookup(Found::nothing, 0, {.only_if_cached = true}) == LookupAction::refuse);
  CHECK(decide_lookup(Found::expired, 5, {.only_if_cached = true}) == LookupAction::refuse);
  CHECK(decide_lookup(Found::fresh, 5, {.only_if_cached = true, .max_age = 1}) ==
        LookupAction::refuse);
  CHECK(decide_lookup(Found::fresh, 5, {.no_cache = true, .only_if_cached = true}) ==
        LookupAction::refuse);
}
