// decide_batch: the rule of the Batcher, and the only place that decides when a free instance runs
// and what. Pure: no clock, no lock.
//
// The rule is work-conserving: no request waits while an instance is free, unless another one is
// announced, and then no longer than `hold`. What is left to decide is which shape (lane) goes
// first and how many ride together. Instances that are free at the same time share what waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "decide/fair_queue.hpp"

namespace aiserve::inline v0::decide {

/// What a free instance sees of one lane.
struct LaneState {
  LaneView waiting;
  /// Rows that a batch of this lane may have now.
  std::size_t cap = 1;
  /// Predicted time of a batch with all that waits, up to `cap`; 0: nothing is known.
  Nanos compute = 0;
  /// How long the oldest may wait, from its arrival, for what is announced.
  Nanos hold = 0;
};

struct QueueView {
  Nanos now = 0;
  std::span<const LaneState> lanes;
  /// Instances that are free and about to take, the one that asks included.
  std::size_t takers = 1;
  /// Arrivals that are announced and not here yet.
  std::size_t announced = 0;
};

struct BatchLimits {
  /// Cost of a batch at most; a single item may have more.
  double max_cost = std::numeric_limits<double>::infinity();
};

enum class BatchAction : std::uint8_t { sleep, wait, run };

enum class BatchReason : std::uint8_t {
  full,      // it has all the rows or the cost that it may have
  idle,      // an instance was free and took what was there
  deadline,  // a deadline is near: it went before others, or with fewer
  bucket,    // others wait, but their shape is another one
  wait,      // it was held back for an announced arrival
  shed,      // nothing ran: what was picked could not have come in time
};
inline constexpr std::size_t kBatchReasons = 6;

struct BatchDecision {
  BatchAction action = BatchAction::sleep;
  std::uint32_t lane = 0;
  std::size_t rows = 0;
  Nanos until = kNever;  // of wait
  BatchReason reason = BatchReason::idle;

  friend bool operator==(const BatchDecision&, const BatchDecision&) = default;
};

/// A lane that has been passed over this often goes next.
inline constexpr std::uint32_t kMostPassedOver = 8;

BatchDecision decide_batch(const QueueView& queue, const BatchLimits& limits) noexcept;

/// The type of decide_batch, and of what it is compared with.
using BatchPolicy = BatchDecision (*)(const QueueView&, const BatchLimits&) noexcept;

}  // namespace aiserve::inline v0::decide
