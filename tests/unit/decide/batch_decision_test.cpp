#include "decide/batch_decision.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

LaneState lane(std::size_t rows, std::uint32_t number = 0) {
  LaneState state;
  state.waiting.lane = number;
  state.waiting.items = rows;
  state.waiting.rows = rows;
  state.waiting.cost = static_cast<double>(rows);
  state.cap = 8;
  return state;
}

BatchDecision decide(const std::vector<LaneState>& lanes, std::size_t takers = 1) {
  return decide_batch({.lanes = lanes, .takers = takers}, {});
}

}  // namespace

TEST_CASE("an empty queue lets the instance sleep") { CHECK(decide({}) == BatchDecision{}); }

TEST_CASE("a free instance takes what waits at once, up to the cap") {
  CHECK(decide({lane(3)}).rows == 3);
  CHECK(decide({lane(3)}).reason == BatchReason::idle);
  CHECK(decide({lane(20)}).rows == 8);
  CHECK(decide({lane(20)}).reason == BatchReason::full);
}

TEST_CASE("instances that are free together share what waits") {
  CHECK(decide({lane(5)}, 2).rows == 3);
  CHECK(decide({lane(5)}, 2).reason == BatchReason::idle);
  CHECK(decide({lane(30)}, 2).rows == 8);
}

TEST_CASE("a cost limit that is reached makes a batch full") {
  LaneState tokens = lane(4);
  tokens.waiting.cost = 600;
  const std::vector<LaneState> lanes{tokens};
  CHECK(decide_batch({.lanes = lanes}, {.max_cost = 512}).reason == BatchReason::full);
}

TEST_CASE("the full lane goes before the one whose turn it would be") {
  LaneState behind = lane(2, 0);
  LaneState ready = lane(8, 1);
  ready.waiting.share = 5;
  CHECK(decide({behind, ready}).lane == 1);
  behind.waiting.passed_over = kMostPassedOver;
  CHECK(decide({behind, ready}).lane == 0);
  CHECK(decide({behind, ready}).reason == BatchReason::bucket);
}

TEST_CASE("a better class goes before a full lane") {
  LaneState urgent_class = lane(1, 0);
  urgent_class.waiting.best = Priority::interactive;
  CHECK(decide({lane(8, 1), urgent_class}).lane == 0);
}

TEST_CASE("a deadline that another batch would miss goes before a full lane") {
  LaneState due = lane(2, 0);
  due.compute = 10'000;
  due.waiting.earliest_deadline = 15'000;
  const BatchDecision decision = decide({lane(8, 1), due});
  CHECK(decision.lane == 0);
  CHECK(decision.reason == BatchReason::deadline);
  due.waiting.earliest_deadline = 25'000;  // there is time for one more batch
  CHECK(decide({lane(8, 1), due}).lane == 1);
}

TEST_CASE("of lanes alike the one served least for its weight goes first") {
  LaneState a = lane(2, 0), b = lane(2, 1);
  a.waiting.share = 3;
  b.waiting.share = 2;
  CHECK(decide({a, b}).lane == 1);
}

TEST_CASE("an announced arrival is waited for, no longer than the hold") {
  LaneState waiting = lane(2);
  waiting.hold = 200;
  waiting.waiting.oldest = 1000;
  const std::vector<LaneState> lanes{waiting};
  const BatchDecision wait = decide_batch({.now = 1000, .lanes = lanes, .announced = 1}, {});
  CHECK(wait.action == BatchAction::wait);
  CHECK(wait.until == 1200);
  CHECK(decide_batch({.now = 1200, .lanes = lanes, .announced = 1}, {}).action == BatchAction::run);
  CHECK(decide_batch({.now = 1000, .lanes = lanes, .announced = 0}, {}).action == BatchAction::run);
}

TEST_CASE("no hold goes past the latest start, and a full batch never waits") {
  LaneState due = lane(2);
  due.hold = 200;
  due.compute = 900;
  due.waiting.earliest_deadline = 1000;
  const std::vector<LaneState> lanes{due};
  const BatchDecision wait = decide_batch({.now = 0, .lanes = lanes, .announced = 1}, {});
  CHECK(wait.until == 100);
  LaneState all = lane(8);
  all.hold = 200;
  const std::vector<LaneState> full{all};
  CHECK(decide_batch({.now = 0, .lanes = full, .announced = 1}, {}).action == BatchAction::run);
}

TEST_CASE("a deadline in another lane bounds the hold as well") {
  LaneState first = lane(2, 0);
  first.hold = 200;
  LaneState due = lane(1, 1);
  due.waiting.share = 1;
  due.waiting.earliest_deadline = 1000;
  due.compute = 400;
  const std::vector<LaneState> lanes{first, due};
  const BatchDecision wait = decide_batch({.now = 0, .lanes = lanes, .announced = 1}, {});
  CHECK(wait.action == BatchAction::wait);
  CHECK(wait.until == 200);
  due.compute = 450;  // still not urgent: two batches fit before its deadline
  const std::vector<LaneState> closer{first, due};
  CHECK(decide_batch({.now = 450, .lanes = closer, .announced = 1}, {}).action == BatchAction::run);
}
