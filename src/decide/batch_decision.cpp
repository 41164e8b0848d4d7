#include "decide/batch_decision.hpp"

#include <algorithm>

namespace aiserve::inline v0::decide {
namespace {

bool full(const LaneState& lane, const BatchLimits& limits) noexcept {
  return lane.waiting.rows >= lane.cap || lane.waiting.cost >= limits.max_cost;
}

// Another batch before this one would make it late.
bool urgent(const LaneState& lane, Nanos now) noexcept {
  return lane.waiting.earliest_deadline != kNever &&
         lane.waiting.earliest_deadline - now < 2 * lane.compute;
}

bool passed_over_enough(const LaneState& lane) noexcept {
  return lane.waiting.passed_over >= kMostPassedOver;
}

// Which of two lanes goes first. Full ones before others only within the deadlines' slack.
bool before(const LaneState& a, const LaneState& b, Nanos now, const BatchLimits& limits) noexcept {
  if (passed_over_enough(a) != passed_over_enough(b)) return passed_over_enough(a);
  if (a.waiting.best != b.waiting.best) return a.waiting.best < b.waiting.best;
  if (urgent(a, now) != urgent(b, now)) return urgent(a, now);
  if (urgent(a, now) && a.waiting.earliest_deadline != b.waiting.earliest_deadline) {
    return a.waiting.earliest_deadline < b.waiting.earliest_deadline;
  }
  if (full(a, limits) != full(b, limits)) return full(a, limits);
  if (a.waiting.share != b.waiting.share) return a.waiting.share < b.waiting.share;
  return a.waiting.oldest < b.waiting.oldest;
}

// Until when what is announced is worth waiting for; `now` or earlier if it is not. Never past the
// latest start of anything that waits.
Nanos hold_until(const LaneState& first, const QueueView& queue) noexcept {
  if (queue.announced == 0) return queue.now;
  Nanos until = saturating_add(first.waiting.oldest, first.hold);
  for (const LaneState& lane : queue.lanes) {
    const Nanos deadline = lane.waiting.earliest_deadline;
    if (deadline != kNever) until = std::min(until, deadline - lane.compute);
  }
  return until;
}

}  // namespace

BatchDecision decide_batch(const QueueView& queue, const BatchLimits& limits) noexcept {
  if (queue.lanes.empty()) return {};
  const auto& lane = *std::min_element(
      queue.lanes.begin(), queue.lanes.end(),
      [&](const LaneState& a, const LaneState& b) { return before(a, b, queue.now, limits); });
  const std::size_t share = (lane.waiting.rows + queue.takers - 1) / queue.takers;
  BatchDecision decision{
      .action = BatchAction::run, .lane = lane.waiting.lane, .rows = std::min(share, lane.cap)};
  const Nanos until = full(lane, limits) ? queue.now : hold_until(lane, queue);
  if (until > queue.now) {
    return {.action = BatchAction::wait, .lane = lane.waiting.lane, .until = until};
  }
  if (decision.rows == lane.cap || lane.waiting.cost >= limits.max_cost) {
    decision.reason = BatchReason::full;
  } else if (queue.lanes.size() > 1) {
    decision.reason = urgent(lane, queue.now) ? BatchReason::deadline : BatchReason::bucket;
  }
  return decision;
}

}  // namespace aiserve::inline v0::decide
