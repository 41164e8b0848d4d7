// What the Batcher is compared with, as decision functions for the same engine: then nothing but
// the rule differs.
//
//   one_by_one     no batching: a free instance takes one request
//   fixed_window   the rule of Triton (max_queue_delay_microseconds) and mosec (max_wait_time): a
//                  batch is sent when it is full, or when its oldest member has waited the window,
//                  idle instances or not
#pragma once

#include <algorithm>

#include "decide/batch_decision.hpp"

namespace rivals {

namespace decide = aiserve::decide;

namespace detail {

/// First come, first served, over all shapes. Precondition: there are lanes.
inline const decide::LaneState& oldest_lane(const decide::QueueView& queue) noexcept {
  return *std::min_element(queue.lanes.begin(), queue.lanes.end(),
                           [](const decide::LaneState& a, const decide::LaneState& b) {
                             return a.waiting.oldest < b.waiting.oldest;
                           });
}

inline decide::BatchDecision run(const decide::LaneState& lane, std::size_t rows) noexcept {
  decide::BatchDecision decision;
  decision.action = decide::BatchAction::run;
  decision.lane = lane.waiting.lane;
  decision.rows = rows;
  decision.reason = rows == lane.cap ? decide::BatchReason::full : decide::BatchReason::idle;
  return decision;
}

}  // namespace detail

inline decide::BatchDecision one_by_one(const decide::QueueView& queue,
                                        const decide::BatchLimits&) noexcept {
  if (queue.lanes.empty()) return {};
  return detail::run(detail::oldest_lane(queue), 1);
}

template <decide::Nanos kWindow>
decide::BatchDecision fixed_window(const decide::QueueView& queue,
                                   const decide::BatchLimits&) noexcept {
  if (queue.lanes.empty()) return {};
  const decide::LaneState& lane = detail::oldest_lane(queue);
  const decide::Nanos until = lane.waiting.oldest + kWindow;
  if (lane.waiting.rows >= lane.cap || queue.now >= until) {
    return detail::run(lane, std::min(lane.waiting.rows, lane.cap));
  }
  decide::BatchDecision decision;
  decision.action = decide::BatchAction::wait;
  decision.lane = lane.waiting.lane;
  decision.until = until;
  return decision;
}

/// A window of 1, 2 or 5 ms; the rule is a plain function, so windows are known when it is
/// compiled.
inline decide::BatchPolicy window_policy(decide::Nanos window) noexcept {
  if (window == 1'000'000) return &fixed_window<1'000'000>;
  if (window == 2'000'000) return &fixed_window<2'000'000>;
  return &fixed_window<5'000'000>;
}

}  // namespace rivals
