/// SimRuntime: a whole Runtime without threads, on a ManualClock. Loops, pools and workers run on
/// the test's thread, one step after the other, until nothing is left to do: what a service does
/// over an hour is tested in milliseconds, the same way every time.
/// *Thread safety:* one thread.
///
///     testing::SimRuntime sim;
///     Batcher batcher(sim.runtime(), model, {});
///     sim.start();
///     spawn(sim.runtime(), Context::background(), ask);
///     sim.advance(50ms);
#pragma once

#include <aiserve/core/runtime.hpp>
#include <aiserve/testing/manual_clock.hpp>

namespace aiserve::inline v0::testing {

class SimRuntime {
 public:
  /// `options.clock` is replaced by this object's own.
  explicit SimRuntime(RuntimeOptions options = {});
  ~SimRuntime();
  SimRuntime(const SimRuntime&) = delete;
  SimRuntime& operator=(const SimRuntime&) = delete;

  Runtime& runtime() noexcept { return *runtime_; }
  ManualClock& clock() noexcept { return clock_; }

  void start();
  /// Runs what can run now.
  void run_until_idle();
  /// Moves the time forward, stopping at every timer and wake-up on the way, in order.
  void advance(Duration by);
  void shutdown();

 private:
  ManualClock clock_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace aiserve::inline v0::testing
