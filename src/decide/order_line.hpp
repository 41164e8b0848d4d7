// OrderLine: whose turn it is among the open jobs of an order key. Pure.
//
// A job has its turn from when it may run until it has ended. Turns are given in the order of
// enqueueing. Each job says how many may have one at once, it included; a job that waits keeps that
// number, as a store's `blocked`. When a turn ends the first in line says how many there are now.
// Whoever waits, somebody has a turn, so that an end will come:
//
//   row.blocked = join(line, job.order_concurrency);   // 0: it has its turn
#pragma once

#include <algorithm>
#include <cstdint>

namespace aiserve::inline v0::decide {

/// The largest number that a job may say.
inline constexpr int kMostTurns = 1'000;

struct OrderLine {
  std::int64_t in_turn = 0;
  bool waits = false;  ///< somebody does
};

/// If a job that says `most` were next.
constexpr bool has_turn(const OrderLine& line, int most) noexcept { return line.in_turn < most; }

/// How many at most have their turn when one has ended; `first` is what the first in line says.
/// Each is asked by has_turn() as well: those behind it may say less.
constexpr std::int64_t room(const OrderLine& line, int first) noexcept {
  return std::max<std::int64_t>(first - line.in_turn, 0);
}

/// A new job goes behind all. Returns its `blocked`.
constexpr int join(OrderLine& line, int most) noexcept {
  if (!line.waits && has_turn(line, most)) {
    ++line.in_turn;
    return 0;
  }
  line.waits = true;
  return most;
}

/// A finished job that waits again takes the place that its age gives it. What it said is
/// forgotten: its turn comes when one of those that have theirs now has ended.
constexpr int rejoin(OrderLine& line) noexcept {
  if (line.in_turn == 0) {
    ++line.in_turn;
    return 0;
  }
  line.waits = true;
  return static_cast<int>(std::min<std::int64_t>(line.in_turn, kMostTurns));
}

}  // namespace aiserve::inline v0::decide
