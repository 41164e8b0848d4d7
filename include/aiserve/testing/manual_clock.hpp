/// ManualClock: time that moves only when a test says so. Wall time moves along, and can be set
/// apart from it to play a clock that was adjusted.
/// *Thread safety:* any thread; advance() returns after the listeners have been told, not after
/// what they woke has run (see SimRuntime for that).
///
///     testing::ManualClock clock;
///     Runtime runtime({.clock = &clock});
///     clock.advance(30s);
#pragma once

#include <aiserve/core/clock.hpp>

#include <map>
#include <mutex>

namespace aiserve::inline v0::testing {

class ManualClock final : public Clock {
 public:
  /// Starts at an arbitrary, fixed point, on 2026-01-01 00:00 UTC.
  ManualClock() noexcept;

  TimePoint now() const noexcept override;
  WallTime wall_now() const noexcept override;
  bool manual() const noexcept override { return true; }
  void listen(const void* owner, std::function<void()> moved) override;
  void forget(const void* owner) noexcept override;

  void advance(Duration by);
  /// Adjusts the wall clock only.
  void shift_wall(Duration by) noexcept;

 private:
  mutable std::mutex mutex_;
  TimePoint now_;
  WallTime wall_;
  std::map<const void*, std::function<void()>> listeners_;
};

}  // namespace aiserve::inline v0::testing
