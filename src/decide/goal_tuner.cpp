#include "decide/goal_tuner.hpp"

#include <algorithm>
#include <cmath>

namespace aiserve::inline v0::decide {
namespace {

constexpr std::size_t kEnough = 200;  // completions that make a p99

constexpr double kBatchPart = 0.9;   // of the goal, for two batches
constexpr double kQueuePart = 0.95;  // of the goal, for all batches of a request
constexpr double kFreeRows = 1.1;  // rows that lengthen a batch by less than this are not given up

constexpr double kMissed = 0.97;  // of the goal: the next window may be a little worse
constexpr double kMissedClearly = 1.1;
constexpr int kMissCounts = 2;  // a met goal takes back one
constexpr int kMissesThatCount = 4;
constexpr double kRoomBelow = 0.85;  // of the goal: p99 below it may grow
constexpr double kLeastShrink = 0.95;
constexpr double kMostShrink = 0.7;
constexpr double kFarBelow = 0.5;
constexpr double kGrowth = 0.05;
constexpr double kFastGrowth = 0.2;
constexpr double kLeastAim = 0.05;
constexpr double kMostAim = 1.5;
constexpr int kGrowthFailedWithin = 6;  // windows
constexpr int kMostPause = 1024;

constexpr double kBetter = 1.03;
constexpr std::size_t kRefusedPerCent = 1;  // of the completed, to grow the queue
constexpr double kBusy = 0.9;
constexpr double kMostlyFull = 0.8;
constexpr double kIdle = 0.5;
constexpr double kDrift = 1.25;

constexpr int kProbeWindows = 3;
constexpr int kMostProbeWait = 4096;
constexpr int kProbeBackoff = 4;
constexpr double kFewerMustKeep = 0.98;  // of the rate
constexpr double kMoreMustGain = 1.05;
constexpr double kHopeless = 0.85;
constexpr double kRateWeight = 0.25;

/// The largest n in [1, most] for which fits(n); 1 if there is none.
template <class F>
std::size_t largest(std::size_t most, F fits) {
  std::size_t low = 1;
  while (low < most) {
    const std::size_t middle = low + (most - low + 1) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      most = middle - 1;
    }
  }
  return low;
}

bool apart(double a, double b) noexcept { return a > kDrift * b || b > kDrift * a; }

/// The rows that a full batch has: CostModel::cap() stays at the knee, unless the largest batch is
/// a size that was not seen yet and will turn out better.
std::size_t running_batch(std::size_t max_batch, const CostModel& cost) noexcept {
  const std::size_t knee = std::min(max_batch, cost.knee(max_batch));
  return cost.rate(max_batch) > kBetter * cost.rate(knee) ? max_batch : knee;
}

/// A largest batch above the knee is not in use.
bool same_effect(const Knobs& a, const Knobs& b, const CostModel& cost) noexcept {
  return a.max_rows_ahead == b.max_rows_ahead &&
         running_batch(a.max_batch, cost) == running_batch(b.max_batch, cost);
}

/// The model claims that the knobs are small enough, the clock says they are not: the queue first,
/// then the batch.
Knobs shrunk_by_hand(Knobs knobs, const CostModel& cost) noexcept {
  const std::size_t batch = running_batch(knobs.max_batch, cost);
  if (knobs.max_rows_ahead >= batch) {
    knobs.max_rows_ahead = std::max(batch - 1, knobs.max_rows_ahead * 4 / 5);
  } else if (batch > 1) {
    knobs.max_batch = batch * 7 / 8;
    knobs.max_rows_ahead = std::min(knobs.max_rows_ahead, knobs.max_batch - 1);
  }
  return knobs;
}

/// Batch times until the first instance is free: up to one if they run in step, 1 / n if they take
/// turns; they do something between.
double until_free(int instances) noexcept { return 0.5 + 0.5 / instances; }

double per_second(const TunerWindow& window) noexcept {
  return static_cast<double>(window.completed) * 1e9 / static_cast<double>(window.length);
}

}  // namespace

std::string_view to_string(TunerState state) noexcept {
  switch (state) {
    case TunerState::learning:
      return "learning";
    case TunerState::steady:
      return "steady";
    case TunerState::shrinking:
      return "shrinking";
    case TunerState::growing:
      return "growing";
    case TunerState::probing:
      return "probing";
    case TunerState::frozen:
      return "frozen";
  }
  return "unknown";
}

GoalTuner::GoalTuner(Nanos goal, TunerLimits limits) noexcept
    : goal_(std::max<Nanos>(goal, 1)),
      limits_(limits),
      knobs_{limits.max_batch, limits.instances, limits.max_queue} {
  say(TunerState::learning, "no batch has been timed yet");
}

TunerVerdict GoalTuner::verdict() const noexcept {
  if (!frozen_) return verdict_;
  return {TunerState::frozen, verdict_.reachable, "held by the host"};
}

void GoalTuner::say(TunerState state, std::string_view reason) noexcept {
  verdict_.state = state;
  verdict_.reason = reason;
}

void GoalTuner::freeze(bool on) noexcept {
  if (on && probe_.running) {
    knobs_ = probe_.before;
    probe_.running = false;
  }
  frozen_ = on;
  gathered_ = {};
}

void GoalTuner::set_goal(Nanos goal) noexcept {
  goal_ = std::max<Nanos>(goal, 1);
  learned_ = false;
  growth_pause_ = 0;
}

bool GoalTuner::step(const TunerWindow& window, const CostModel& cost) noexcept {
  if (frozen_ || !cost.known()) return false;
  const Knobs before = knobs_;
  if (!learned_) {
    learned_ = true;
    adopt(derive(cost, knobs_.instances), cost);
    say(TunerState::steady, "first guess from the timed batches");
    check_reachable(cost);
    return knobs_ != before;
  }
  if (!probe_.running && follow_model(cost)) return knobs_ != before;
  gather(window);
  if (gathered_.completed < kEnough || gathered_.length <= 0) return false;
  const TunerWindow enough = gathered_;
  gathered_ = {};
  judge(enough, cost);
  return knobs_ != before;
}

/// The p99 of parts is not the p99 of the whole; the largest is never too good.
void GoalTuner::gather(const TunerWindow& window) noexcept {
  TunerWindow& sum = gathered_;
  const Nanos length = sum.length + window.length;
  const double part =
      length > 0 ? static_cast<double>(window.length) / static_cast<double>(length) : 1;
  sum.length = length;
  sum.completed += window.completed;
  sum.refused += window.refused;
  sum.p99 = std::max(sum.p99, window.p99);
  sum.p50 = std::max(sum.p50, window.p50);
  sum.mean_batch += part * (window.mean_batch - sum.mean_batch);
  sum.busy_share += part * (window.busy_share - sum.busy_share);
}

void GoalTuner::judge(const TunerWindow& window, const CostModel& cost) noexcept {
  if (windows_since_growth_ < kMostPause) ++windows_since_growth_;
  if (growth_pause_ > 0) --growth_pause_;
  if (limits_.instances > 1 && probe_instances(window, cost)) return;
  if (!settles(window)) judge_latency(window, cost);
}

/// Until all requests that were admitted before a change have left, p99 says nothing about it.
bool GoalTuner::settles(const TunerWindow& window) noexcept {
  if (unsettled_rows_ == 0) return false;
  const bool emptied = window.busy_share < kIdle;
  unsettled_rows_ -= emptied ? unsettled_rows_ : std::min(unsettled_rows_, window.completed);
  return true;
}

void GoalTuner::judge_latency(const TunerWindow& window, const CostModel& cost) noexcept {
  const auto goal = static_cast<double>(goal_);
  const auto p99 = static_cast<double>(window.p99);
  verdict_.reachable = true;
  if (p99 > kMissed * goal) {
    if (!binds(window)) return say(TunerState::steady, "p99 misses the goal though few wait");
    misses_ += kMissCounts;
    if (misses_ >= kMissesThatCount || p99 > kMissedClearly * goal) shrink(window.p99, cost);
    return;
  }
  misses_ = std::max(0, misses_ - 1);
  if (p99 < kRoomBelow * goal && growth_pause_ == 0 && wants_more(window, cost)) {
    return grow(window.p99, cost);
  }
  say(TunerState::steady, "p99 meets the goal");
  check_reachable(cost);
}

/// Whether smaller knobs would have changed what happened.
bool GoalTuner::binds(const TunerWindow& window) const noexcept {
  return window.refused > 0 || window.busy_share > kIdle ||
         window.mean_batch * 4 > static_cast<double>(knobs_.max_batch);
}

/// Full batches: only larger ones do more. Else a longer queue serves some that were refused.
bool GoalTuner::wants_more(const TunerWindow& window, const CostModel& cost) const noexcept {
  const std::size_t running = running_batch(knobs_.max_batch, cost);
  const bool larger_is_better = cost.rate(limits_.max_batch) > kBetter * cost.rate(running);
  const bool full =
      window.busy_share > kBusy && window.mean_batch > kMostlyFull * static_cast<double>(running);
  if (full) return larger_is_better;
  return window.refused * 100 > window.completed * kRefusedPerCent;
}

void GoalTuner::shrink(Nanos p99, const CostModel& cost) noexcept {
  misses_ = 0;
  if (windows_since_growth_ <= kGrowthFailedWithin) {
    growth_pause_ = next_pause_;
    next_pause_ = std::min(next_pause_ * 2, kMostPause);
  }
  const double excess = static_cast<double>(p99) / static_cast<double>(goal_);
  aim_ = std::max(kLeastAim, aim_ * std::clamp(1 / excess, kMostShrink, kLeastShrink));
  Knobs target = derive(cost, knobs_.instances);
  target.max_batch = std::min(target.max_batch, knobs_.max_batch);
  target.max_rows_ahead = std::min(target.max_rows_ahead, knobs_.max_rows_ahead);
  if (same_effect(target, knobs_, cost)) target = shrunk_by_hand(target, cost);
  const bool smaller = target != knobs_;
  adopt(target, cost);
  say(smaller ? TunerState::shrinking : TunerState::steady,
      smaller ? "p99 missed the goal" : "the smallest batches miss the goal");
  verdict_.reachable = smaller;
  if (smaller) check_reachable(cost);
}

void GoalTuner::grow(Nanos p99, const CostModel& cost) noexcept {
  const Knobs before = knobs_;
  const bool far = static_cast<double>(p99) < kFarBelow * static_cast<double>(goal_);
  aim_ = std::min(kMostAim, aim_ + (far ? kFastGrowth : kGrowth));
  Knobs target = derive(cost, knobs_.instances);
  target.max_batch = std::max(target.max_batch, before.max_batch);
  target.max_rows_ahead = std::max(target.max_rows_ahead, before.max_rows_ahead);
  if (same_effect(target, before, cost)) {
    return say(TunerState::steady, "p99 meets the goal");
  }
  adopt(target, cost);
  windows_since_growth_ = 0;
  say(TunerState::growing, "p99 leaves room and requests wait");
}

/// The largest batch of which two meet the goal, and the queue in whole batches.
Knobs GoalTuner::derive(const CostModel& cost, int instances) const noexcept {
  const double goal = aim_ * static_cast<double>(goal_);
  const auto p95 = [&](std::size_t rows) { return static_cast<double>(cost.p95(rows)); };
  const double free = kFreeRows * p95(1);
  const double shortest = until_free(instances) + 1;
  const std::size_t batch = largest(limits_.max_batch, [&](std::size_t n) {
    return shortest * p95(n) <= kBatchPart * goal || p95(n) <= free;
  });
  const std::size_t running = running_batch(batch, cost);
  const double spare = std::max(0.0, kQueuePart * goal / p95(running) - shortest);
  const double batches_ahead = std::floor(spare * instances);
  const double ahead = std::min(static_cast<double>(running) * (batches_ahead + 1) - 1,
                                static_cast<double>(limits_.max_queue));
  return {batch, instances, static_cast<std::size_t>(std::max(ahead, 0.0))};
}

void GoalTuner::adopt(const Knobs& knobs, const CostModel& cost) noexcept {
  unsettled_rows_ = std::max(knobs_.max_rows_ahead, knobs.max_rows_ahead) +
                    knobs_.max_batch * static_cast<std::size_t>(knobs_.instances);
  knobs_ = knobs;
  const std::size_t knee = cost.knee(limits_.max_batch);
  basis_ = {static_cast<double>(cost.mean(std::min(knee, knobs_.max_batch))), knee};
  gathered_ = {};
}

bool GoalTuner::has_drifted(const CostModel& cost) const noexcept {
  const std::size_t knee = cost.knee(limits_.max_batch);
  const std::size_t running = std::min(basis_.knee, knobs_.max_batch);
  return apart(static_cast<double>(cost.mean(running)), basis_.batch_time) ||
         knee > 2 * basis_.knee || basis_.knee > 2 * knee;
}

bool GoalTuner::follow_model(const CostModel& cost) noexcept {
  if (!has_drifted(cost)) return false;
  const Knobs before = knobs_;
  aim_ = std::max(aim_, (1 + aim_) / 2);
  adopt(derive(cost, knobs_.instances), cost);
  const bool fewer =
      knobs_.max_batch < before.max_batch || knobs_.max_rows_ahead < before.max_rows_ahead;
  say(fewer ? TunerState::shrinking : TunerState::growing, "the model's times have changed");
  check_reachable(cost);
  return true;
}

void GoalTuner::check_reachable(const CostModel& cost) noexcept {
  const Nanos one = cost.mean(1);
  if (one > goal_) {
    verdict_.reachable = false;
    verdict_.reason = "one row alone takes longer than the goal";
  } else if (one > goal_ / 2) {
    verdict_.reason = "only requests that find a free instance meet the goal";
    verdict_.reachable = false;
  }
}

/// Returns whether this window was the probe's business.
bool GoalTuner::probe_instances(const TunerWindow& window, const CostModel& cost) noexcept {
  const double rate = per_second(window);
  if (probe_.running) {
    measure_probe(window, rate, cost);
    return true;
  }
  const bool saturated = window.refused > 0 && window.busy_share > kBusy && unsettled_rows_ == 0 &&
                         window.p99 <= goal_;
  if (!saturated) return false;
  probe_.rate = probe_.saturated == 0 ? rate : probe_.rate + kRateWeight * (rate - probe_.rate);
  return ++probe_.saturated > probe_.wait && begin_probe(cost);
}

bool GoalTuner::begin_probe(const CostModel& cost) noexcept {
  if (knobs_.instances == 1) probe_.down = false;
  if (knobs_.instances == limits_.instances) probe_.down = true;
  probe_.running = true;
  probe_.windows = 0;
  probe_.before = knobs_;
  probe_.rate_before = probe_.rate;
  adopt(derive(cost, knobs_.instances + (probe_.down ? -1 : 1)), cost);
  say(TunerState::probing, probe_.down ? "trying one instance less" : "trying one instance more");
  return true;
}

/// The first window holds the change itself: it can end the probe, but not win it.
void GoalTuner::measure_probe(const TunerWindow& window, double rate,
                              const CostModel& cost) noexcept {
  if (window.busy_share <= kBusy || rate < kHopeless * probe_.rate_before) {
    return end_probe(false, cost);
  }
  if (probe_.windows++ == 0) return;
  probe_.rate = probe_.windows == 2 ? rate : probe_.rate + (rate - probe_.rate) / 2;
  if (probe_.windows <= kProbeWindows) return;
  const double needed = probe_.down ? kFewerMustKeep : kMoreMustGain;
  end_probe(probe_.rate >= needed * probe_.rate_before, cost);
}

void GoalTuner::end_probe(bool keep, const CostModel& cost) noexcept {
  probe_.running = false;
  probe_.saturated = 0;
  if (keep) {
    probe_.wait = InstanceProbe().wait;
    adopt(derive(cost, knobs_.instances), cost);
    return say(TunerState::steady,
               probe_.down ? "one instance less does as much" : "one instance more does more");
  }
  probe_.wait = std::min(probe_.wait * kProbeBackoff, kMostProbeWait);
  adopt(probe_.before, cost);
  say(TunerState::steady,
      probe_.down ? "one instance less does not do as much" : "one instance more does not do more");
  probe_.down = !probe_.down;
}

}  // namespace aiserve::inline v0::decide
