// KeyGate: jobs that share a key run in the order in which they came, a few at a time. Pure.
//
// A store keeps one counter row per key and asks it when a job is enqueued or has its outcome, not
// when jobs are claimed: those that may not run yet are no candidates, so that a long row behind
// one key costs claims nothing. A job holds its place from the moment it enters until its outcome,
// through delays, retries and snoozes; with a width of 1 that is strict FIFO. One that is redriven
// queues up at the end.
#pragma once

#include <cstddef>

namespace aiserve::inline v0::decide {

struct KeyGate {
  std::size_t inside = 0;   ///< unfinished jobs that may run
  std::size_t waiting = 0;  ///< behind them

  /// A job came. True: it may run; false: it waits for admit() to count it in.
  bool enter(std::size_t width) noexcept {
    const bool free = waiting == 0 && inside < width;
    ++(free ? inside : waiting);
    return free;
  }
  /// A job inside has its outcome.
  void leave() noexcept { --inside; }
  /// A job that waited was cancelled or has expired.
  void give_up() noexcept { --waiting; }
  /// How many of those that wait, oldest first, may run from now on. Also after `width` has
  /// changed.
  std::size_t admit(std::size_t width) noexcept {
    const std::size_t room = inside < width ? width - inside : 0;
    const std::size_t admitted = room < waiting ? room : waiting;
    inside += admitted;
    waiting -= admitted;
    return admitted;
  }
};

}  // namespace aiserve::inline v0::decide
