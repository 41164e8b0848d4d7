#include "decide/call_retry.hpp"

#include <initializer_list>

#include <doctest/doctest.h>

namespace aiserve::decide {
namespace {

TEST_CASE("no answer, 502, 503 and 504 are failures of the peer, other answers are not") {
  CHECK(is_failure({.status = 0}));
  for (const int status : {502, 503, 504}) CHECK(is_failure({.status = status}));
  for (const int status : {200, 304, 400, 404, 429, 500, 501}) {
    CHECK_FALSE(is_failure({.status = status}));
  }
}

TEST_CASE("what we refused ourselves is no failure of the peer and not worth another attempt") {
  const CallOutcome refused{.refused = true};
  CHECK_FALSE(is_failure(refused));
  CHECK_FALSE(is_transient(refused));
}

TEST_CASE("429 is worth another attempt though the peer is well") {
  CHECK(is_transient({.status = 429}));
  CHECK_FALSE(is_failure({.status = 429}));
}

TEST_CASE("what may have had an effect is repeated only if that changes nothing") {
  const CallOutcome sent{.sent = true};
  const CallOutcome unsent{};
  const CallOutcome answered{.status = 503, .sent = true, .answered = true};
  CHECK(may_repeat(unsent, false));
  CHECK_FALSE(may_repeat(sent, false));
  CHECK_FALSE(may_repeat(answered, false));
  for (const CallOutcome& call : {sent, unsent, answered}) CHECK(may_repeat(call, true));
}

TEST_CASE("only a kept connection that was cut without a byte of an answer is stale") {
  CHECK(was_stale({.sent = true, .reused = true, .broken = true}));
  CHECK_FALSE(was_stale({.sent = true, .broken = true}));
  CHECK_FALSE(was_stale({.sent = true, .answered = true, .reused = true, .broken = true}));
  CHECK_FALSE(was_stale({.status = 503, .sent = true, .answered = true, .reused = true}));
}

TEST_CASE("a kept connection that stays silent is a failure and not stale") {
  const CallOutcome silent{.sent = true, .reused = true};
  CHECK_FALSE(was_stale(silent));
  CHECK(tells_of_peer(silent));
  CHECK(is_failure(silent));
}

TEST_CASE("what the caller gave up, and a stale connection, tell nothing of the peer") {
  CHECK(tells_of_peer({.status = 503}));
  CHECK(tells_of_peer({.sent = true, .broken = true}));
  CHECK_FALSE(tells_of_peer({.sent = true, .given_up = true}));
  CHECK_FALSE(tells_of_peer({.status = 504, .given_up = true}));
  CHECK_FALSE(tells_of_peer({.reused = true, .broken = true}));
}

TEST_CASE("a pause that the deadline does not outlive is not begun") {
  CHECK(fits(99, 100));
  CHECK_FALSE(fits(100, 100));
  CHECK_FALSE(fits(0, 0));
  CHECK(fits(100, kNever));
}

}  // namespace
}  // namespace aiserve::decide
