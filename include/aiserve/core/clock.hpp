/// Clock: where every component takes its time from. Monotonic time for durations and deadlines,
/// wall time only at database and token boundaries and in logs.
///
/// A clock that jumps (testing::ManualClock) calls its listeners, so that timers are looked at
/// again; the steady clock never does.
/// *Thread safety:* any thread.
#pragma once

#include <aiserve/core/deadline.hpp>

#include <functional>

namespace aiserve::inline v0 {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const noexcept = 0;
  virtual WallTime wall_now() const noexcept = 0;
  /// True if time moves only when a test moves it: then no real timer is armed.
  virtual bool manual() const noexcept { return false; }
  /// Calls `moved` after every jump until forget(owner). Only manual clocks ever call it.
  virtual void listen(const void* owner, std::function<void()> moved);
  virtual void forget(const void* owner) noexcept;

  /// The machine's steady and system clocks.
  static Clock& steady() noexcept;
};

}  // namespace aiserve::inline v0
