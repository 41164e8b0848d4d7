#include "rivals/policies.hpp"

#include <vector>

#include <doctest/doctest.h>

namespace decide = aiserve::decide;
using decide::BatchAction;

namespace {

constexpr decide::Nanos kMs = 1'000'000;

decide::LaneState lane(std::uint32_t number, std::size_t rows, decide::Nanos oldest) {
  decide::LaneState state;
  state.waiting.lane = number;
  state.waiting.rows = state.waiting.items = rows;
  state.waiting.oldest = oldest;
  state.cap = 32;
  return state;
}

decide::BatchDecision window2(decide::Nanos now, const std::vector<decide::LaneState>& lanes) {
  decide::QueueView view;
  view.now = now;
  view.lanes = lanes;
  return rivals::fixed_window<2 * kMs>(view, {});
}

}  // namespace

TEST_CASE("without batching a free instance takes the oldest request alone") {
  const std::vector<decide::LaneState> lanes{lane(0, 5, 30), lane(1, 9, 10)};
  decide::QueueView view;
  view.lanes = lanes;
  const decide::BatchDecision decision = rivals::one_by_one(view, {});
  CHECK(decision.action == BatchAction::run);
  CHECK(decision.lane == 1);
  CHECK(decision.rows == 1);
}

TEST_CASE("a fixed window holds a batch until its oldest has waited it") {
  const decide::BatchDecision early = window2(5 * kMs, {lane(3, 7, 4 * kMs)});
  CHECK(early.action == BatchAction::wait);
  CHECK(early.until == 6 * kMs);
  const decide::BatchDecision due = window2(6 * kMs, {lane(3, 7, 4 * kMs)});
  CHECK(due.action == BatchAction::run);
  CHECK(due.lane == 3);
  CHECK(due.rows == 7);
}

TEST_CASE("a full batch does not wait for its window and takes no more than fits") {
  const decide::BatchDecision decision = window2(4 * kMs, {lane(0, 40, 4 * kMs)});
  CHECK(decision.action == BatchAction::run);
  CHECK(decision.rows == 32);
  CHECK(decision.reason == decide::BatchReason::full);
}

TEST_CASE("rivals sleep when nothing waits") {
  CHECK(rivals::one_by_one({}, {}).action == BatchAction::sleep);
  CHECK(window2(0, {}).action == BatchAction::sleep);
}
