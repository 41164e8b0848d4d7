#include "serving/tuning.hpp"

#include <string>

namespace aiserve::inline v0::detail {
namespace {

// Long enough for a p99 at a few hundred requests per second, short enough to follow a load.
constexpr Duration kWindow = std::chrono::milliseconds(200);

}  // namespace

void Tuning::set_goal(Duration goal) {
  goal_ = goal;
  if (goal == Duration::zero()) {
    tuner_.reset();
  } else if (tuner_) {
    tuner_->set_goal(goal.count());
  } else {
    tuner_.emplace(goal.count(), limits_);
    tuner_->freeze(frozen_);
  }
}

void Tuning::set_limits(const decide::TunerLimits& limits) {
  const bool same = limits.max_batch == limits_.max_batch &&
                    limits.instances == limits_.instances && limits.max_queue == limits_.max_queue;
  limits_ = limits;
  if (same || !tuner_) return;
  tuner_.emplace(goal_.count(), limits_);
  tuner_->freeze(frozen_);
}

void Tuning::freeze(bool on) {
  frozen_ = on;
  if (tuner_) tuner_->freeze(on);
}

void Tuning::reset() {
  if (tuner_) tuner_->reset();
  freeze(frozen_);
  begun_.reset();
}

void Tuning::batch_ran(std::size_t rows, Duration compute) noexcept {
  ++batches_;
  rows_ += rows;
  busy_ += compute;
}

void Tuning::begin_window(TimePoint now) noexcept {
  begun_ = now;
  latencies_.clear();
  refused_ = 0;
  batches_ = 0;
  rows_ = 0;
  busy_ = Duration::zero();
}

bool Tuning::step(TimePoint now, const decide::CostModel& costs) {
  if (!tuner_) return false;
  if (!begun_) begin_window(now);
  const Duration length = now - *begun_;
  if (length < kWindow) return false;
  const double machines = static_cast<double>(length.count()) * tuner_->knobs().instances;
  const decide::TunerWindow window{
      .length = length.count(),
      .completed = latencies_.count(),
      .p99 = latencies_.quantile(0.99),
      .p50 = latencies_.quantile(0.5),
      .refused = refused_,
      .mean_batch = batches_ == 0 ? 0 : static_cast<double>(rows_) / static_cast<double>(batches_),
      .busy_share = std::min(1.0, static_cast<double>(busy_.count()) / machines)};
  begin_window(now);
  return tuner_->step(window, costs);
}

std::string Tuning::to_string() const {
  if (!tuner_) return {};
  const decide::TunerVerdict verdict = tuner_->verdict();
  return std::string(decide::to_string(verdict.state)) + ": " + std::string(verdict.reason);
}

}  // namespace aiserve::inline v0::detail
