// CircuitBreaker: when to stop asking something that fails, and when to ask again. Pure.
//
// Closed, it looks at the last calls; too many failures among them open it. Open, it refuses for a
// while that doubles with every failed probe; then one call may probe, and decides.
// (Nygard, Release It!, 2007; the window of outcomes is a bit mask.)
#pragma once

#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

struct BreakerPolicy {
  std::uint32_t window = 16;             ///< calls looked at, 1 to 64
  std::uint32_t failures = 8;            ///< of them, until it opens, 1 to window
  Nanos first_pause = 500'000'000;       ///< > 0
  Nanos longest_pause = 30'000'000'000;  ///< at least first_pause
};

class CircuitBreaker {
 public:
  enum class State : std::uint8_t { closed, open, probing };

  explicit CircuitBreaker(const BreakerPolicy& policy) noexcept;

  /// May a call begin now? Whoever gets true reports its outcome; a probe (`probing` then) that has
  /// none is withdrawn.
  bool allow(Nanos now) noexcept;
  /// What calls say that began before it opened changes nothing.
  void succeeded() noexcept;
  void failed(Nanos now) noexcept;
  /// The probe has learnt nothing: the next call may probe at once.
  void withdrawn(Nanos now) noexcept;

  State state() const noexcept { return state_; }
  /// When open: from then on a probe is allowed.
  Nanos retry_at() const noexcept { return retry_at_; }

 private:
  void open(Nanos now) noexcept;
  void note(bool failure) noexcept;

  BreakerPolicy policy_;
  State state_ = State::closed;
  std::uint64_t outcomes_ = 0;  // the latest in the lowest bit, set = failed
  Nanos pause_;
  Nanos retry_at_ = 0;
};

}  // namespace aiserve::inline v0::decide
