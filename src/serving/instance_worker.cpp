#include "serving/instance_worker.hpp"

#include "aiserve/core/telemetry.hpp"

namespace aiserve::inline v0::detail {

InstanceWorker::InstanceWorker(BatchEngine& engine, int index)
    : engine_(engine),
      index_(index),
      builder_(engine.model().signature(), engine.options().max_batch) {
  picked_.reserve(engine.options().max_batch);
  worker_ =
      engine.runtime().add_worker({.name = engine.options().name + "-" + std::to_string(index),
                                   .begin = [this] { return begin(); },
                                   .step = [this](TimePoint) { return step(); },
                                   .end = [this] { end(); },
                                   .busy_with = [this] { return busy_with(); }});
}

Result<void> InstanceWorker::begin() {
  Result<std::unique_ptr<ModelInstance>> made = engine_.model().create_instance(index_);
  if (!made) return made.error();
  instance_ = std::move(*made);
  if (engine_.options().warm_up) {
    for (const std::size_t rows : {std::size_t{1}, engine_.options().max_batch}) {
      Batch& zeros = builder_.gather_zeros(rows, engine_.model().sample_length());
      if (Result<void> warm = instance_->warm_up(zeros); !warm) return warm;
    }
  }
  ready_.store(true, std::memory_order_release);
  return success();
}

Deadline InstanceWorker::step() {
  const decide::BatchDecision decision = engine_.pick(*this, picked_);
  if (decision.action == decide::BatchAction::sleep) return Deadline::never();
  run_batch(decision);
  picked_.clear();
  return Deadline(TimePoint::min());
}

void InstanceWorker::run_batch(const decide::BatchDecision& decision) {
  const Clock& clock = engine_.runtime().clock();
  const TimePoint begun = clock.now();
  running_rows_.store(picked_.size(), std::memory_order_relaxed);
  running_since_.store(begun.time_since_epoch().count(), std::memory_order_release);
  rows_.clear();
  for (const EntryPtr& entry : picked_) rows_.push_back(entry.get());
  const Result<void> ran = call_model(builder_.gather(rows_));
  const TimePoint ended = clock.now();
  running_since_.store(0, std::memory_order_release);
  builder_.scatter(rows_, ran);

  Ride ride;
  ride.batch_id = engine_.next_batch_id();
  ride.size = static_cast<std::uint32_t>(picked_.size());
  ride.instance = index_;
  ride.reason =
      decision.reason == decide::BatchReason::full ? DispatchReason::full : DispatchReason::idle;
  ride.compute = ended - begun;
  engine_.metrics().batch(picked_.size(), ride.reason, ride.compute);
  for (const EntryPtr& entry : picked_) {
    entry->ride = ride;
    entry->ride.queue = begun - entry->submitted;
    ++ride.position;
    engine_.metrics().row(entry->ride.queue, ended - entry->submitted);
    if (!entry->output.ok()) engine_.metrics().failed_row();
  }
  engine_.finished(picked_, ride.compute);
}

Result<void> InstanceWorker::call_model(Batch& batch) noexcept {
  Result<void> ran;
  try {
    ran = instance_->run(batch);
  } catch (...) {
    ran = error_from_current_exception();
  }
  if (!ran) {
    const std::string text = ran.error().to_string();
    engine_.runtime().telemetry().log().error(
        "a batch failed", {{"batcher", engine_.options().name}, {"error", text}});
  }
  return ran;
}

void InstanceWorker::end() noexcept {
  ready_.store(false, std::memory_order_release);
  instance_.reset();
}

Duration InstanceWorker::running_for(TimePoint now) const noexcept {
  const std::int64_t since = running_since_.load(std::memory_order_acquire);
  return since == 0 ? Duration::zero() : now.time_since_epoch() - Duration(since);
}

std::string InstanceWorker::busy_with() const {
  const Duration running = running_for(engine_.runtime().clock().now());
  if (running == Duration::zero()) return "no batch";
  return "a batch of " + std::to_string(running_rows_.load(std::memory_order_relaxed)) +
         " rows for " + std::to_string(running / std::chrono::milliseconds(1)) + " ms";
}

}  // namespace aiserve::inline v0::detail
