// BatchEngine: what changes while it runs: knobs, tuning, the model, and the watch over calls that
// hang.
#include "aiserve/core/telemetry.hpp"
#include "serving/check_options.hpp"
#include "serving/engine.hpp"

namespace aiserve::inline v0::detail {

// Not under the lock, which the Runtime's is taken before. The workers begin at once when the
// Runtime runs already.
void BatchEngine::man(Fleet& fleet) {
  const auto count = static_cast<std::size_t>(options_.instances);
  fleet.beginning = count + 1;
  fleet.workers.reserve(count);
  for (int i = 0; i < options_.instances; ++i) {
    fleet.workers.push_back(std::make_unique<InstanceWorker>(*this, fleet, i));
  }
  const std::scoped_lock lock(mutex_);
  begun_locked(fleet);
}

void BatchEngine::observe(InstanceWorker& worker, std::size_t rows, Duration took) {
  const std::scoped_lock lock(mutex_);
  worker.fleet().warm_ups.push_back({rows, took});
}

void BatchEngine::begun(InstanceWorker& worker, const Result<void>& outcome) {
  const std::scoped_lock lock(mutex_);
  Fleet& fleet = worker.fleet();
  if (!outcome && !fleet.failure) fleet.failure = outcome.error();
  begun_locked(fleet);
}

void BatchEngine::begun_locked(Fleet& fleet) {
  if (--fleet.beginning != 0) return;
  if (&fleet == fleet_.get()) {
    learn_locked(fleet);
  } else if (&fleet != next_fleet_.get()) {
    return;  // it was replaced before it was ready
  } else if (!fleet.failure) {
    switch_fleets_locked();
  } else {
    // The old ones go on; these end at their next step.
    fleet.replacement->result = *fleet.failure;
    fleet.replacement->settle(Operation::Outcome::completed);
    for (const auto& failed : fleet.workers) failed->retire();
    old_fleets_.push_back(std::move(next_fleet_));
  }
}

void BatchEngine::learn_locked(const Fleet& fleet) {
  scheduler_.forget_costs();
  for (const auto& [rows, took] : fleet.warm_ups) scheduler_.observe(0, rows, took.count());
  allow_learning_locked(fleet);
}

void BatchEngine::allow_learning_locked(const Fleet& fleet) {
  const bool learns = fleet.backend->rows_vary() || !fleet.warm_ups.empty();
  scheduler_.set_learn_cap(learn_cap_ && learns);
}

void BatchEngine::switch_fleets_locked() {
  std::swap(fleet_, next_fleet_);
  fleet_->predecessor = next_fleet_.get();
  old_fleets_.push_back(std::move(next_fleet_));
  ++version_;
  learn_locked(*fleet_);
  idle_.clear();
  holding_.clear();
  called_ = 0;
  for (const auto& old : old_fleets_.back()->workers) {
    if (old->station == InstanceWorker::Station::working) continue;  // it sees for itself
    old->station = InstanceWorker::Station::parked;
    old->retire();
  }
  for (const auto& worker : fleet_->workers) worker->wake();
  complete_replacement_locked(*old_fleets_.back());
}

void BatchEngine::ended(InstanceWorker& worker) noexcept {
  Fleet& fleet = worker.fleet();
  std::unique_ptr<BatchBackend> unused;  // may hold the host's objects: not let go under the lock
  const std::scoped_lock lock(mutex_);
  if (++fleet.ended == fleet.workers.size() && &fleet != fleet_.get()) {
    unused = std::move(fleet.backend);
  }
  complete_replacement_locked(fleet);
}

// Done when the last instance of the old model is gone.
void BatchEngine::complete_replacement_locked(Fleet& old) {
  if (fleet_->predecessor != &old || old.ended < old.workers.size()) return;
  if (!fleet_->replacement) return;
  fleet_->replacement->result = success();
  fleet_->replacement->settle(Operation::Outcome::completed);
  fleet_->replacement = {};
}

Async<void> BatchEngine::replace(const Context& ctx, std::unique_ptr<BatchBackend> backend) {
  const auto replacement = make_intrusive<Replacement>();
  if (!replacement->bind(&runtime_.core())) {
    co_return Error(Errc::internal, "replace() needs an I/O thread of the runtime");
  }
  // A shutdown waits for it.
  const Gate::Pass pass = gate_.enter();
  if (!pass) co_return Error(Errc::unavailable, "the batcher is draining");
  Fleet* next = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    const bool under_way = next_fleet_ != nullptr || fleet_->replacement;
    if (under_way) co_return Error(Errc::conflict, "another replacement is under way");
    next_fleet_ = std::make_unique<Fleet>(std::move(backend), true);
    next_fleet_->replacement = replacement;
    next = next_fleet_.get();
  }
  man(*next);
  replacement->watch(ctx);
  co_await replacement->wait();
  if (replacement->outcome() != Operation::Outcome::completed) {
    const std::scoped_lock lock(mutex_);
    if (next_fleet_.get() == next) next->failure = replacement->error();  // it will not take over
    co_return replacement->error();
  }
  co_return std::move(replacement->result);
}

Result<void> BatchEngine::set(const BatcherKnobs& knobs) {
  if (Result<void> valid = check_knobs(knobs, options_); !valid) return valid;
  std::vector<InstanceWorker*> to_wake;
  {
    const std::scoped_lock lock(mutex_);
    decide::TunerLimits limits = tuning_.limits();
    limits.max_batch = knobs.max_batch.value_or(limits.max_batch);
    limits.instances = knobs.active_instances.value_or(limits.instances);
    limits.max_queue = knobs.max_queue.value_or(limits.max_queue);
    tuning_.set_limits(limits);
    if (knobs.latency_goal) tuning_.set_goal(*knobs.latency_goal);
    if (knobs.frozen) tuning_.freeze(*knobs.frozen);
    if (knobs.max_cost) scheduler_.set_max_cost(*knobs.max_cost);
    if (knobs.max_hold) scheduler_.set_max_hold(knobs.max_hold->count());
    set_rules_locked(knobs);
    apply_tuning_locked();
    call_workers_locked(to_wake);
  }
  if (knobs.slots_weight) slots_.set_weight(*knobs.slots_weight);
  wake_all(to_wake);
  return success();
}

void BatchEngine::set_rules_locked(const BatcherKnobs& knobs) {
  hard_limit_ = knobs.hard_limit.value_or(hard_limit_);
  if (knobs.ageing) scheduler_.set_ageing(knobs.ageing->count());
  if (knobs.learn_cap) {
    learn_cap_ = *knobs.learn_cap;
    allow_learning_locked(*fleet_);
  }
  rules_.isolate_failures = knobs.isolate_failures.value_or(rules_.isolate_failures);
  rules_.max_reruns = knobs.max_reruns.value_or(rules_.max_reruns);
  rules_.nan_outputs = knobs.nan_outputs.value_or(rules_.nan_outputs);
}

void BatchEngine::reset_tuning() {
  std::vector<InstanceWorker*> to_wake;
  {
    const std::scoped_lock lock(mutex_);
    tuning_.reset();
    apply_tuning_locked();
    call_workers_locked(to_wake);
  }
  wake_all(to_wake);
}

void BatchEngine::apply_tuning_locked() {
  const decide::TunerLimits& limits = tuning_.limits();
  decide::Knobs knobs{limits.max_batch, limits.instances, limits.max_queue};
  if (tuning_.on()) knobs = tuning_.knobs();
  scheduler_.set_max_queue(limits.max_queue);
  scheduler_.set_max_batch(knobs.max_batch);
  scheduler_.set_instances(knobs.instances);
  scheduler_.set_max_rows_ahead(knobs.max_rows_ahead);
  active_ = static_cast<std::size_t>(knobs.instances);
}

void BatchEngine::tick() {
  const std::scoped_lock lock(mutex_);
  const TimePoint now = runtime_.clock().now();
  for (InstanceWorker* worker : hung_locked(now)) {
    const Duration running = worker->running_for(now);
    if (std::exchange(worker->reported, true)) continue;
    metrics_.hung();
    std::string ids;
    for (const EntryPtr& entry : worker->running) ids += " " + entry->context.request_id();
    runtime_.telemetry().log().error(
        "a batch takes longer than its hard limit",
        {{"batcher", options_.name},
         {"instance", static_cast<std::int64_t>(worker->index())},
         {"running_ms", static_cast<std::int64_t>(running / std::chrono::milliseconds(1))},
         {"request_ids", ids.empty() ? ids : ids.substr(1)}});
  }
}

}  // namespace aiserve::inline v0::detail
