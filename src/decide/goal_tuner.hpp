// GoalTuner: turns a latency goal (p99, end to end) into batch size, instances and admission limit,
// while the host runs. Pure: it is stepped with what was measured since the last step.
//
// A work-conserving batcher lets a request wait for the first instance that becomes free, for the
// batches ahead of it, then for its own:
//   latency = (first + floor(ahead / b) / instances + 1) * T(b),  first = 1/2 + 1/(2 instances),
// `first` lying between instances in step and instances in turn. The tuner solves that for the
// largest batch and queue that meet `aim` times the goal, with T from the CostModel. What it
// measures moves `aim`: down in proportion when p99 misses the goal (above 97 % of it in several
// windows), up in small steps while p99 is below 85 % and more would be done. Between the two
// nothing moves. A step up that had to be taken back is tried again later, each time after a longer
// pause. When all instances are busy one less is tried, and kept if that does as much.
//
//   GoalTuner tuner(20'000'000, {.max_batch = 64, .instances = 2, .max_queue = 1024});
//   if (tuner.step(window, cost)) apply(tuner.knobs());  // every 100 ms to 1 s
//   tuner.freeze(true);                                  // hold what was found
//
// Thread safety: none; under the engine's mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "decide/cost_model.hpp"
#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

/// What the tuner sets.
struct Knobs {
  /// Most rows of a batch that the goal allows; CostModel::cap() stays at the knee if that is less.
  std::size_t max_batch = 1;
  int instances = 1;
  /// A newcomer is refused when more rows than this wait; 0 admits one to an empty queue.
  std::size_t max_rows_ahead = 0;

  friend bool operator==(const Knobs&, const Knobs&) = default;
};

/// The knobs' upper bounds, each at least 1.
struct TunerLimits {
  std::size_t max_batch = 1;
  int instances = 1;
  std::size_t max_queue = 1;
};

/// What was measured since the last step.
struct TunerWindow {
  Nanos length = 0;
  std::size_t completed = 0;
  Nanos p99 = 0;
  Nanos p50 = 0;
  std::size_t refused = 0;
  double mean_batch = 0;
  double busy_share = 0;  ///< of the active instances, 0 to 1
};

enum class TunerState : std::uint8_t { learning, steady, shrinking, growing, probing, frozen };

std::string_view to_string(TunerState state) noexcept;

struct TunerVerdict {
  TunerState state = TunerState::learning;
  /// False when not even the smallest batches meet the goal.
  bool reachable = true;
  std::string_view reason;  ///< static text
};

class GoalTuner {
 public:
  GoalTuner(Nanos goal, TunerLimits limits) noexcept;

  const Knobs& knobs() const noexcept { return knobs_; }
  Nanos goal() const noexcept { return goal_; }
  TunerVerdict verdict() const noexcept;

  /// Returns whether the knobs changed. Windows of fewer than 200 completions are
  /// gathered; requests admitted before the last change are not judged.
  bool step(const TunerWindow& window, const CostModel& cost) noexcept;

  /// Holds the knobs. An instance probe under way is taken back first.
  void freeze(bool on) noexcept;
  /// Forgets all; until the next step the knobs are at their limits.
  void reset() noexcept { *this = GoalTuner(goal_, limits_); }
  /// Keeps what was learned about the host.
  void set_goal(Nanos goal) noexcept;

 private:
  struct InstanceProbe {
    bool running = false;
    bool down = true;   ///< direction of the next or the running one
    int saturated = 0;  ///< windows since the last one
    int wait = 16;      ///< saturated windows before the next one
    int windows = 0;    ///< measured in the running one
    double rate = 0;    ///< rows per second in saturated windows
    double rate_before = 0;
    Knobs before;
  };

  /// What the knobs were derived from.
  struct Basis {
    double batch_time = 0;
    std::size_t knee = 0;
  };

  void gather(const TunerWindow& window) noexcept;
  void judge(const TunerWindow& window, const CostModel& cost) noexcept;
  bool settles(const TunerWindow& window) noexcept;
  void judge_latency(const TunerWindow& window, const CostModel& cost) noexcept;
  void shrink(Nanos p99, const CostModel& cost) noexcept;
  void grow(Nanos p99, const CostModel& cost) noexcept;
  bool wants_more(const TunerWindow& window, const CostModel& cost) const noexcept;
  bool binds(const TunerWindow& window) const noexcept;
  bool follow_model(const CostModel& cost) noexcept;
  bool has_drifted(const CostModel& cost) const noexcept;
  Knobs derive(const CostModel& cost, int instances) const noexcept;
  void adopt(const Knobs& knobs, const CostModel& cost) noexcept;
  void say(TunerState state, std::string_view reason) noexcept;
  void check_reachable(const CostModel& cost) noexcept;
  bool probe_instances(const TunerWindow& window, const CostModel& cost) noexcept;
  bool begin_probe(const CostModel& cost) noexcept;
  void measure_probe(const TunerWindow& window, double rate, const CostModel& cost) noexcept;
  void end_probe(bool keep, const CostModel& cost) noexcept;

  Nanos goal_;
  TunerLimits limits_;
  Knobs knobs_;
  double aim_ = 1;  ///< part of the goal that the formula is solved for
  TunerWindow gathered_;
  TunerVerdict verdict_;
  bool frozen_ = false;
  bool learned_ = false;
  std::size_t unsettled_rows_ = 0;  ///< that may have been admitted before the last change
  int misses_ = 0;                  ///< windows a little above the goal, leaking
  int windows_since_growth_ = 1 << 20;
  int growth_pause_ = 0;  ///< windows until the next growth
  int next_pause_ = 16;
  Basis basis_;
  InstanceProbe probe_;
};

}  // namespace aiserve::inline v0::decide
