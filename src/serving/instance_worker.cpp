#include "serving/instance_worker.hpp"

#include "aiserve/core/telemetry.hpp"
#include "decide/bisection.hpp"
#include "serving/cpu_affinity.hpp"
#include "serving/engine.hpp"

namespace aiserve::inline v0::detail {
namespace {

// A batch size is tried this often before the instance is ready, and all sizes no longer than that.
constexpr int kWarmUpRuns = 8;
constexpr Duration kWarmUpTime = std::chrono::seconds(2);

// Whether a failure may be one row's fault. The others are the model's state, or the caller's.
bool may_be_poisoned(Errc code) noexcept {
  return code == Errc::internal || code == Errc::invalid_argument || code == Errc::malformed ||
         code == Errc::data_loss;
}

}  // namespace

InstanceWorker::InstanceWorker(BatchEngine& engine, Fleet& fleet, int index)
    : engine_(engine), fleet_(fleet), index_(index) {
  worker_ =
      engine.runtime().add_worker({.name = engine.options().name + "-" + std::to_string(index),
                                   .begin = [this] { return begin(); },
                                   .step = [this](TimePoint) { return step(); },
                                   .end = [this] { end(); },
                                   .busy_with = [this] { return busy_with(); }});
}

Result<void> InstanceWorker::begin() {
  Result<void> made;
  try {
    made = make_ready();
  } catch (...) {
    made = error_from_current_exception();
  }
  engine_.begun(*this, made);
  // A replacement that fails must not take the Runtime down with it.
  return fleet_.replaces ? success() : made;
}

Result<void> InstanceWorker::make_ready() {
  const BatcherOptions& options = engine_.options();
  if (!options.cpus.empty()) {
    const int cpu = options.cpus[static_cast<std::size_t>(index_) % options.cpus.size()];
    if (Result<void> pinned = pin_this_thread(cpu); !pinned) return pinned;
  }
  runner_ = fleet_.backend->runner(index_);
  if (Result<void> begun = runner_->begin(); !begun) return begun;
  if (options.warm_up && runner_->can_warm_up()) {
    if (index_ == 0) {
      if (Result<void> apart = runner_->check_rows(); !apart) return apart;
    }
    if (Result<void> warm = warm_up(); !warm) return warm;
  }
  ready_.store(true, std::memory_order_release);
  return success();
}

// The first run of a size is not counted: it pays for allocations and compilation.
Result<void> InstanceWorker::warm_up() {
  const Clock& clock = engine_.runtime().clock();
  const std::size_t most = engine_.options().max_batch;
  const bool vary = fleet_.backend->rows_vary();
  const TimePoint begun = clock.now();
  for (std::size_t rows = 1;; rows = std::min(2 * rows, most)) {
    for (int run = 0; run <= kWarmUpRuns; ++run) {
      const TimePoint before = clock.now();
      if (Result<void> warm = runner_->warm_up(rows); !warm) return warm;
      if (run > 0 && !vary) engine_.observe(*this, rows, clock.now() - before);
      if (clock.now() - begun > kWarmUpTime) break;
    }
    if (rows == most || clock.now() - begun > kWarmUpTime) return success();
  }
}

Deadline InstanceWorker::step() {
  if (!runner_) return Deadline::never();  // its replacement failed
  const decide::BatchDecision decision = engine_.pick(*this);
  switch (decision.action) {
    case decide::BatchAction::sleep:
      return Deadline::never();
    case decide::BatchAction::wait:
      return Deadline(TimePoint(Duration(decision.until)));
    case decide::BatchAction::run:
      run_batch(decision);
  }
  return Deadline(TimePoint::min());
}

void InstanceWorker::run_batch(const decide::BatchDecision& decision) {
  const Clock& clock = engine_.runtime().clock();
  const TimePoint begun = clock.now();
  running_rows_.store(running.size(), std::memory_order_relaxed);
  running_since_.store(begun.time_since_epoch().count(), std::memory_order_release);
  const std::uint16_t reruns = run_parts();
  running_since_.store(0, std::memory_order_release);
  deliver(decision, begun, reruns);
}

// Returns how many parts were run again.
std::uint16_t InstanceWorker::run_parts() {
  decide::Bisection parts(running.size(), rules.isolate_failures ? rules.max_reruns : 0);
  std::size_t runs = 0;
  while (const auto part = parts.next()) {
    const auto entries = std::span(running).subspan(part->first, part->count);
    ++runs;
    const Result<void> ran = run_part(entries);
    if (ran) continue;
    if (may_be_poisoned(ran.error().code()) && parts.split(*part)) continue;
    for (const EntryPtr& entry : entries) entry->fail(ran.error());
  }
  return static_cast<std::uint16_t>(runs - 1);
}

Result<void> InstanceWorker::run_part(std::span<const EntryPtr> entries) noexcept {
  Result<void> ran;
  try {
    ran = runner_->run(entries, rules.nan_outputs);
  } catch (...) {
    ran = error_from_current_exception();
  }
  if (!ran) {
    const std::string text = ran.error().to_string();
    engine_.runtime().telemetry().log().error("a batch failed",
                                              {{"batcher", engine_.options().name},
                                               {"rows", static_cast<std::int64_t>(entries.size())},
                                               {"error", text}});
  }
  return ran;
}

void InstanceWorker::deliver(const decide::BatchDecision& decision, TimePoint begun,
                             std::uint16_t reruns) {
  const TimePoint ended = engine_.runtime().clock().now();
  Ride ride;
  ride.batch_id = engine_.next_batch_id();
  ride.size = static_cast<std::uint32_t>(running.size());
  ride.instance = index_;
  ride.reason = static_cast<DispatchReason>(decision.reason);
  ride.reruns = reruns;
  ride.compute = ended - begun;
  engine_.metrics().batch(ride, runner_->padding());
  record(ride, begun, ended);
  if (engine_.runtime().telemetry().tracer().enabled()) trace(ride);
  engine_.finished(*this, decision, ride.compute, reruns);
}

// Before the entries are settled: after that they are their callers'.
void InstanceWorker::record(Ride ride, TimePoint begun, TimePoint ended) noexcept {
  TenantRows tenants(engine_.metrics());
  for (const EntryPtr& entry : running) {
    entry->ride = ride;
    entry->ride.queue = begun - entry->submitted;
    ++ride.position;
    engine_.metrics().row(entry->ride.queue, ended - entry->submitted);
    tenants.add(entry->context.tenant().id().view());
    if (entry->failure() != nullptr) engine_.metrics().failed_row();
  }
}

// A span of the batch in the first sampled trace, linked to all others: which request was computed
// with which.
void InstanceWorker::trace(const Ride& ride) noexcept {
  Span span;
  for (const EntryPtr& entry : running) {
    const TraceParent& parent = entry->context.trace();
    if (!parent.sampled()) continue;
    if (!span.recording()) {
      span = engine_.runtime().telemetry().tracer().start("batch", parent);
    }
    span.link(parent);
  }
  span.set("batcher", engine_.options().name);
  span.set("batch.id", ride.batch_id);
  span.set("batch.size", ride.size);
  span.set("batch.reason", to_string(ride.reason));
  span.set("batch.compute_ns", ride.compute.count());
}

void InstanceWorker::end() noexcept {
  ready_.store(false, std::memory_order_release);
  runner_.reset();
  engine_.ended(*this);
}

Duration InstanceWorker::running_for(TimePoint now) const noexcept {
  const std::int64_t since = running_since_.load(std::memory_order_acquire);
  return since == 0 ? Duration::zero() : now.time_since_epoch() - Duration(since);
}

std::string InstanceWorker::busy_with() const {
  const Duration running_time = running_for(engine_.runtime().clock().now());
  if (running_time == Duration::zero()) return "no batch";
  return "a batch of " + std::to_string(running_rows_.load(std::memory_order_relaxed)) +
         " rows for " + std::to_string(running_time / std::chrono::milliseconds(1)) + " ms";
}

}  // namespace aiserve::inline v0::detail
