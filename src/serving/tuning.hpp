// Tuning: feeds the GoalTuner with what the engine sees, window by window. Not locked: the engine's
// mutex guards it.
#pragma once

#include <optional>

#include "aiserve/core/deadline.hpp"
#include "decide/goal_tuner.hpp"
#include "decide/latency_window.hpp"

namespace aiserve::inline v0::detail {

class Tuning {
 public:
  /// A goal of zero: off.
  Tuning(Duration goal, decide::TunerLimits limits) : limits_(limits) { set_goal(goal); }

  bool on() const noexcept { return tuner_.has_value(); }
  Duration goal() const noexcept { return goal_; }
  void set_goal(Duration goal);
  void set_limits(const decide::TunerLimits& limits);
  const decide::TunerLimits& limits() const noexcept { return limits_; }
  void freeze(bool on);
  void reset();

  void refused() noexcept { ++refused_; }
  void answered(Duration latency) noexcept {
    if (on()) latencies_.add(latency.count());
  }
  void batch_ran(std::size_t rows, Duration compute) noexcept;
  /// True if the knobs are others now.
  bool step(TimePoint now, const decide::CostModel& costs);

  /// Precondition: on().
  const decide::Knobs& knobs() const noexcept { return tuner_->knobs(); }
  std::string to_string() const;

 private:
  void begin_window(TimePoint now) noexcept;

  Duration goal_{};
  decide::TunerLimits limits_;
  bool frozen_ = false;
  std::optional<decide::GoalTuner> tuner_;
  decide::LatencyWindow latencies_;
  std::optional<TimePoint> begun_;
  std::size_t refused_ = 0;
  std::size_t batches_ = 0;
  std::size_t rows_ = 0;
  Duration busy_{};
};

}  // namespace aiserve::inline v0::detail
