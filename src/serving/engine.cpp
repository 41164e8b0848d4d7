#include "serving/engine.hpp"

#include <algorithm>

#include "aiserve/core/telemetry.hpp"

namespace aiserve::inline v0::detail {
namespace {

using Station = InstanceWorker::Station;

decide::SchedulerOptions scheduler_options(const BatcherOptions& options,
                                           decide::BatchPolicy policy) {
  decide::SchedulerOptions result;
  result.max_batch = options.max_batch;
  result.max_cost = options.max_cost;
  result.max_queue = options.max_queue;
  result.instances = options.instances;
  result.max_hold = options.max_hold.count();
  result.learn_cap = false;  // until a warm-up has shown what batches take
  result.queue.ageing = options.ageing.count();
  result.policy = policy;
  result.alive = [](const decide::QueueItem& item) noexcept {
    const auto& entry = static_cast<const BatchEntry&>(item);
    // Of submit(), an entry listens to its Context only after a turn of its I/O thread.
    return entry.pending() && !entry.context.cancelled();
  };
  return result;
}

}  // namespace

// Callers must not run under the engine's lock, so that what they hold cannot wait for it.
struct BatchEngine::Leaving {
  Leaving() noexcept = default;
  ~Leaving() {
    for (const EntryPtr& entry : entries) {
      settle(*entry);
      for (const EntryPtr& companion : entry->companions) settle(*companion);
    }
  }
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;

  void add(EntryPtr entry, const Error& error) {
    for (const EntryPtr& companion : entry->companions) refuse(*companion, error);
    refuse(*entry, error);
    entries.push_back(std::move(entry));
  }

  std::vector<EntryPtr> entries;

 private:
  static void refuse(BatchEntry& entry, const Error& error) noexcept {
    entry.fail(error);
    entry.ride.reason = DispatchReason::shed;
  }
  void settle(BatchEntry& entry) const noexcept {
    entry.inside = Gate::Pass();
    entry.settle(Operation::Outcome::completed);
  }
};

// What comes of one pick, for after the lock is let go.
struct BatchEngine::Picking {
  decide::BatchDecision decision;
  Leaving late;
  std::vector<InstanceWorker*> to_wake;
  SlotUse slot = SlotUse::held;
};

BatchEngine::BatchEngine(Runtime& runtime, std::unique_ptr<BatchBackend> backend,
                         std::unique_ptr<BatchPlacer> placer, BatcherOptions options,
                         decide::BatchPolicy policy)
    : runtime_(runtime),
      options_(std::move(options)),
      metrics_(runtime.telemetry(), options_.name),
      placer_(std::move(placer)),
      scheduler_(scheduler_options(options_, policy)),
      active_(static_cast<std::size_t>(options_.instances)),
      hard_limit_(options_.hard_limit),
      learn_cap_(options_.learn_cap),
      rules_{options_.isolate_failures, options_.max_reruns, options_.nan_outputs},
      tuning_(options_.latency_goal, {.max_batch = options_.max_batch,
                                      .instances = options_.instances,
                                      .max_queue = options_.max_queue}),
      slots_(options_.slots, options_.slots_weight, [this] { slot_free(); }) {
  idle_.reserve(active_);
  if (tuning_.on()) apply_tuning_locked();
  fleet_ = std::make_unique<Fleet>(std::move(backend), false);
  man(*fleet_);
  gauges_ =
      BatchGauges(runtime_.telemetry().metrics(), options_.name, [this] { return snapshot(); });
  attachment_ = runtime_.attach(component());
}

// Detaching ends the workers, which still use the rest.
BatchEngine::~BatchEngine() {
  gauges_ = BatchGauges();
  attachment_ = Attachment();
}

Component BatchEngine::component() {
  return {.name = "batcher " + options_.name,
          .gate = &gate_,
          .tick = [this] { tick(); },
          .cancel = [this] { cancel_all(); },
          .busy_with = [this] { return busy_with(); },
          .not_ready = [this] { return not_ready(); },
          .status = [this] { return status(); }};
}

void BatchEngine::push(std::span<const EntryPtr> entries) {
  Leaving evicted;
  std::vector<InstanceWorker*> to_wake;
  {
    const std::scoped_lock lock(mutex_);
    for (const EntryPtr& entry : entries) take_in_locked(entry, gate_.enter(), evicted);
    call_workers_locked(to_wake);
  }
  wake_all(to_wake);
}

void BatchEngine::take_in_locked(const EntryPtr& entry, Gate::Pass pass, Leaving& leaving) {
  const auto refuse = [&](const Error& error) {
    metrics_.refused(error.code());
    entry->refuse(error);
    for (const EntryPtr& companion : entry->companions) companion->refuse(error);
  };
  if (!pass) return refuse(Error(Errc::unavailable, "the batcher is draining"));
  if (placer_) {
    const Result<BatchPlacer::News> placed = placer_->place(*entry);
    if (!placed) return refuse(placed.error());
    if (*placed == BatchPlacer::News::lane) scheduler_.forget_lane(entry->lane);
    if (*placed == BatchPlacer::News::lanes) scheduler_.forget_costs();
  }
  const Tenant& tenant = entry->context.tenant();
  decide::Claimant claimant{.tenant = tenant.id().view(), .weight = tenant.weight()};
  if (tenant.limits().max_queue) claimant.max_queue = *tenant.limits().max_queue;
  decide::Admission admission = scheduler_.admit(*entry, claimant, entry->arrived);
  for (decide::QueueItem* item : admission.evicted) {
    metrics_.refused(Errc::overloaded);
    leaving.add(take_out_locked(*item), refusal_locked(admission));
  }
  if (admission.verdict != decide::AdmissionVerdict::accepted) {
    if (placer_) placer_->left(entry->lane);
    tuning_.refused();
    return refuse(refusal_locked(admission));
  }
  entry->inside = std::move(pass);
  for (const EntryPtr& companion : entry->companions) companion->inside = gate_.enter();
  entry->retain();  // for the queue
}

Error BatchEngine::refusal_locked(const decide::Admission& admission) const {
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(Duration(admission.wait));
  const auto text = [&]() -> std::string {
    switch (admission.verdict) {
      case decide::AdmissionVerdict::late:
        return "model " + options_.name + " cannot answer in time";
      case decide::AdmissionVerdict::tenant_full:
        return "too many requests of this tenant wait for model " + options_.name;
      default:
        return "the queue of model " + options_.name + " is full";
    }
  };
  return Error(Errc::overloaded, text()).retry_after(std::max(wait, std::chrono::milliseconds(1)));
}

// One worker per request that waits, so that free instances share the work.
void BatchEngine::call_workers_locked(std::vector<InstanceWorker*>& to_wake) {
  if (scheduler_.items() == 0) return;
  if (!holding_.empty() && !scheduler_.worth_waking()) return;
  to_wake.reserve(to_wake.size() + holding_.size() + idle_.size());
  const auto call = [&](std::vector<InstanceWorker*>& list) {
    InstanceWorker* worker = list.back();
    list.pop_back();
    worker->station = Station::called;
    ++called_;
    to_wake.push_back(worker);
  };
  while (called_ < scheduler_.items() && busy_ + called_ < active_ && !slot_wanted_) {
    if (!holding_.empty()) {
      call(holding_);
    } else if (!idle_.empty()) {
      call(idle_);
    } else {
      break;
    }
  }
}

void BatchEngine::wake_all(const std::vector<InstanceWorker*>& workers) const noexcept {
  for (const InstanceWorker* worker : workers) worker->wake();
}

void BatchEngine::leave_station_locked(InstanceWorker& worker) noexcept {
  if (worker.station == Station::called) --called_;
  if (worker.station == Station::idle) std::erase(idle_, &worker);
  if (worker.station == Station::holding) std::erase(holding_, &worker);
  worker.station = Station::working;
}

void BatchEngine::forget(BatchEntry& entry) noexcept {
  EntryPtr taken;
  {
    const std::scoped_lock lock(mutex_);
    if (!scheduler_.remove(entry)) return;
    taken = take_out_locked(entry);
  }
  metrics_.abandoned(entry.outcome() == Operation::Outcome::deadline);
  entry.leave_gate();
}

decide::BatchDecision BatchEngine::pick(InstanceWorker& worker) {
  Picking picking;
  const TimePoint now = runtime_.clock().now();
  {
    const std::scoped_lock lock(mutex_);
    leave_station_locked(worker);
    if (&worker.fleet() == fleet_.get()) {
      serve_locked(worker, now, picking);
    } else {
      worker.station = Station::parked;
      picking.slot = SlotUse::none;
      if (&worker.fleet() != next_fleet_.get()) worker.retire();
    }
    // What is left, and what this worker may not run, is for others that are idle.
    call_workers_locked(picking.to_wake);
  }
  wake_all(picking.to_wake);
  // Not under the lock: another engine may be told.
  if (picking.slot == SlotUse::unused) slots_.release(Duration::zero());
  if (picking.slot == SlotUse::none) slots_.return_unused();
  return picking.decision;
}

void BatchEngine::serve_locked(InstanceWorker& worker, TimePoint now, Picking& picking) {
  if (scheduler_.rows() == 0 || busy_ >= active_) {
    picking.slot = SlotUse::none;
    slot_wanted_ = false;
  } else if (acquire_slot_locked()) {
    picking.decision = pick_locked(worker, now);
    const bool runs = picking.decision.action == decide::BatchAction::run;
    picking.slot = runs ? SlotUse::held : SlotUse::unused;
  }
  stand_locked(worker, picking.decision);
  sort_out_locked(worker, picking);
}

// Those that were taken out and will not run.
void BatchEngine::sort_out_locked(InstanceWorker& worker, Picking& picking) {
  if (!worker.picked.late.empty()) {
    const Error error(Errc::deadline_exceeded, "the answer would have come after the deadline");
    for (decide::QueueItem* item : worker.picked.late) {
      picking.late.add(take_out_locked(*item), error);
    }
    metrics_.shed(worker.picked.late.size(), picking.decision.action == decide::BatchAction::run);
  }
  for (decide::QueueItem* item : worker.picked.gone) {
    const EntryPtr entry = take_out_locked(*item);  // its caller left a moment ago
    metrics_.abandoned(entry->outcome() == Operation::Outcome::deadline);
    entry->leave_gate();
  }
  worker.picked.clear();
}

bool BatchEngine::acquire_slot_locked() {
  slot_wanted_ = !slots_.acquire();
  return !slot_wanted_;
}

decide::BatchDecision BatchEngine::pick_locked(InstanceWorker& worker, TimePoint now) {
  const decide::BatchDecision decision =
      scheduler_.pick(BatchEntry::nanos(now), 1 + called_, busy_, worker.picked);
  if (decision.action != decide::BatchAction::run) return decision;
  ++busy_;
  board_locked(worker);
  return decision;
}

// The queue's reference is the caller's now.
EntryPtr BatchEngine::take_out_locked(decide::QueueItem& item) noexcept {
  if (placer_) placer_->left(item.lane);
  return EntryPtr::adopt(static_cast<BatchEntry*>(&item));
}

void BatchEngine::board_locked(InstanceWorker& worker) {
  worker.reported = false;
  worker.rules = rules_;
  for (decide::QueueItem* item : worker.picked.members) {
    EntryPtr entry = take_out_locked(*item);
    std::vector<EntryPtr> companions = std::move(entry->companions);
    worker.running.push_back(std::move(entry));
    for (EntryPtr& companion : companions) worker.running.push_back(std::move(companion));
  }
}

void BatchEngine::stand_locked(InstanceWorker& worker, const decide::BatchDecision& decision) {
  if (decision.action == decide::BatchAction::run) return;
  const bool holds = decision.action == decide::BatchAction::wait;
  worker.station = holds ? Station::holding : Station::idle;
  (holds ? holding_ : idle_).push_back(&worker);
}

void BatchEngine::finished(InstanceWorker& worker, const decide::BatchDecision& ran,
                           Duration compute, std::size_t reruns) noexcept {
  std::vector<EntryPtr>& entries = worker.leaving;
  std::vector<InstanceWorker*> to_wake;
  bool more = false;
  {
    const TimePoint now = runtime_.clock().now();
    const std::scoped_lock lock(mutex_);
    entries.swap(worker.running);
    --busy_;
    computed_ += entries.size();
    computing_ += compute;
    reruns_ += reruns;
    // A batch that was run in parts, or by a model that was replaced, teaches nothing.
    const bool teaches = reruns == 0 && &worker.fleet() == fleet_.get();
    scheduler_.finished(ran.lane, entries.size(), teaches ? compute.count() : 0);
    tuning_.batch_ran(entries.size(), compute);
    for (const EntryPtr& entry : entries) tuning_.answered(now - entry->submitted);
    more = scheduler_.rows() != 0;
    if (tuning_.step(now, scheduler_.main_costs())) {
      apply_tuning_locked();
      call_workers_locked(to_wake);
    }
  }
  wake_all(to_wake);
  slots_.release(compute, more);
  SettledBatch settled;
  for (EntryPtr& entry : entries) {
    // Out of the gate before the caller can see its answer: then an empty gate means none is left.
    entry->inside = Gate::Pass();
    if (!settled.settle(std::move(entry), Operation::Outcome::completed)) metrics_.unread_row();
  }
  entries.clear();
}

Announcement BatchEngine::announce() noexcept {
  const std::scoped_lock lock(mutex_);
  scheduler_.announce();
  return Announcement(*this);
}

void BatchEngine::retract() noexcept {
  std::vector<InstanceWorker*> to_wake;
  {
    const std::scoped_lock lock(mutex_);
    scheduler_.retract();
    if (!holding_.empty()) call_workers_locked(to_wake);
  }
  wake_all(to_wake);
}

void BatchEngine::slot_free() noexcept {
  std::vector<InstanceWorker*> to_wake;
  {
    const std::scoped_lock lock(mutex_);
    slot_wanted_ = false;
    call_workers_locked(to_wake);
  }
  wake_all(to_wake);
  if (to_wake.empty()) slots_.return_unused();
}

void BatchEngine::cancel_all() noexcept {
  std::vector<EntryPtr> entries;
  {
    const std::scoped_lock lock(mutex_);
    while (decide::QueueItem* item = scheduler_.take_any()) {
      entries.push_back(take_out_locked(*item));
      for (EntryPtr& companion : std::exchange(entries.back()->companions, {})) {
        entries.push_back(std::move(companion));
      }
    }
  }
  for (const EntryPtr& entry : entries) {
    entry->inside = Gate::Pass();
    if (entry->settle(Operation::Outcome::cancelled)) metrics_.abandoned(false);
  }
}

}  // namespace aiserve::inline v0::detail
