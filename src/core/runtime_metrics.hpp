// RuntimeMetrics: event-loop lag and pool waits, the two numbers that tell a starving process.
#pragma once

#include <deque>

#include "aiserve/core/metrics.hpp"
#include "core/io_thread.hpp"

namespace aiserve::inline v0::detail {

class RuntimeMetrics {
 public:
  explicit RuntimeMetrics(Metrics& metrics);

  void blocking_wait(Duration wait) noexcept { observe(blocking_, wait); }
  void cpu_wait(Duration wait) noexcept { observe(cpu_, wait); }
  /// Measures every second how late the loop gets to its timers; the first loop's second is also
  /// when telemetry that waits is handed over.
  void watch_lag(IoThread& thread);

 private:
  struct LagProbe : TimerNode {
    LagProbe(IoThread& io, Histogram& target);
    void arm_next();
    static void fired(TimerNode* node) noexcept;
    IoThread& thread;
    Histogram& histogram;
  };
  static void observe(Histogram& histogram, Duration wait) noexcept {
    histogram.observe(std::chrono::duration<double>(wait).count());
  }

  Histogram& blocking_;
  Histogram& cpu_;
  Histogram& lag_;
  std::deque<LagProbe> probes_;
};

}  // namespace aiserve::inline v0::detail
