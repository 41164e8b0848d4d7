#include "serving/engine.hpp"

#include <algorithm>

#include "aiserve/core/telemetry.hpp"
#include "core/json_text.hpp"
#include "serving/instance_worker.hpp"

namespace aiserve::inline v0::detail {

BatchEngine::BatchEngine(Runtime& runtime, Model& model, BatcherOptions options)
    : runtime_(runtime),
      model_(model),
      options_(std::move(options)),
      metrics_(runtime.telemetry().metrics(), options_.name),
      queue_(options_.max_queue) {
  idle_.reserve(static_cast<std::size_t>(options_.instances));
  for (int i = 0; i < options_.instances; ++i) {
    workers_.push_back(std::make_unique<InstanceWorker>(*this, i));
  }
  attachment_ = runtime_.attach(component());
}

BatchEngine::~BatchEngine() = default;

Component BatchEngine::component() {
  return {.name = "batcher " + options_.name,
          .gate = &gate_,
          .cancel = [this] { cancel_all(); },
          .busy_with = [this] { return busy_with(); },
          .not_ready = [this] { return not_ready(); },
          .status = [this] { return status(); }};
}

Result<void> BatchEngine::push(const EntryPtr& entry) {
  Gate::Pass pass = gate_.enter();
  if (!pass) {
    metrics_.refused(Errc::unavailable);
    return Error(Errc::unavailable, "the batcher is draining");
  }
  InstanceWorker* to_wake = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    if (queue_.full()) {
      metrics_.refused(Errc::overloaded);
      return refusal_locked();
    }
    entry->inside = std::move(pass);
    queue_.push(entry);
    to_wake = call_idle_locked();
  }
  if (to_wake != nullptr) to_wake->wake();
  return success();
}

InstanceWorker* BatchEngine::call_idle_locked() noexcept {
  if (idle_.empty()) return nullptr;
  InstanceWorker* worker = idle_.back();
  idle_.pop_back();
  worker->station = InstanceWorker::Station::called;
  ++called_;
  return worker;
}

void BatchEngine::leave_station_locked(InstanceWorker& worker) noexcept {
  if (worker.station == InstanceWorker::Station::called) --called_;
  if (worker.station == InstanceWorker::Station::idle) std::erase(idle_, &worker);
  worker.station = InstanceWorker::Station::working;
}

Error BatchEngine::refusal_locked() const {
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(predicted_wait_locked());
  return Error(Errc::overloaded, "the queue of model " + options_.name + " is full")
      .retry_after(std::max(wait, std::chrono::milliseconds(1)));
}

Duration BatchEngine::predicted_wait_locked() const {
  return Duration(static_cast<std::int64_t>(
      decide::predict_wait_ns(queue_.size(), busy_, workers_.size(), options_.max_batch,
                              static_cast<std::uint64_t>(batch_time_.count()))));
}

// The caller of an entry that was not computed has its answer already.
void BatchEngine::drop(BatchEntry& entry) noexcept {
  metrics_.abandoned(entry.outcome() == Operation::Outcome::deadline);
  entry.inside = Gate::Pass();
}

void BatchEngine::forget(BatchEntry& entry) noexcept {
  const std::scoped_lock lock(mutex_);
  if (queue_.remove(entry)) drop(entry);
}

decide::BatchDecision BatchEngine::pick(InstanceWorker& worker, std::vector<EntryPtr>& picked) {
  const std::scoped_lock lock(mutex_);
  leave_station_locked(worker);
  while (true) {
    const decide::QueueView view{.waiting = queue_.size(), .takers = 1 + called_};
    decide::BatchDecision decision = decide::decide_batch(view, {options_.max_batch});
    if (decision.action == decide::BatchAction::sleep) {
      idle_.push_back(&worker);
      worker.station = InstanceWorker::Station::idle;
      return decision;
    }
    while (picked.size() < decision.rows && queue_.size() != 0) {
      EntryPtr entry = queue_.pop();
      if (entry->pending()) {
        picked.push_back(std::move(entry));
      } else {
        drop(*entry);  // its caller left a moment ago and is about to call forget()
      }
    }
    if (picked.empty()) continue;
    decision.rows = picked.size();
    ++busy_;
    return decision;
  }
}

void BatchEngine::finished(std::span<EntryPtr> entries, Duration compute) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    --busy_;
    computed_ += entries.size();
    // Weight 1/8: a few batches are enough to learn, one slow batch does not frighten.
    batch_time_ =
        batch_time_ == Duration::zero() ? compute : batch_time_ + (compute - batch_time_) / 8;
  }
  SettledBatch settled;
  for (EntryPtr& entry : entries) {
    // Out of the gate before the caller can see its answer: then an empty gate means none is left.
    entry->inside = Gate::Pass();
    if (!settled.settle(std::move(entry), Operation::Outcome::completed)) metrics_.unread_row();
  }
}

void BatchEngine::cancel_all() noexcept {
  std::vector<EntryPtr> entries;
  {
    const std::scoped_lock lock(mutex_);
    while (EntryPtr entry = queue_.pop()) entries.push_back(std::move(entry));
  }
  for (const EntryPtr& entry : entries) {
    entry->inside = Gate::Pass();
    if (entry->settle(Operation::Outcome::cancelled)) metrics_.abandoned(false);
  }
}

BatcherSnapshot BatchEngine::snapshot() const {
  BatcherSnapshot now;
  now.in_flight = gate_.inside();
  now.instances = static_cast<int>(workers_.size());
  for (const auto& worker : workers_) now.ready_instances += worker->ready() ? 1 : 0;
  now.batches = next_batch_id_.load(std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  now.queued = queue_.size();
  now.busy_instances = static_cast<int>(busy_);
  now.computed = computed_;
  now.predicted_wait = predicted_wait_locked();
  return now;
}

void BatchEngine::log_callback_error(const Error& error) noexcept {
  const std::string text = error.to_string();
  runtime_.telemetry().log().error("a callback of submit() threw",
                                   {{"batcher", options_.name}, {"error", text}});
}

std::string BatchEngine::not_ready() const {
  const BatcherSnapshot now = snapshot();
  if (now.ready_instances == now.instances) return {};
  return std::to_string(now.instances - now.ready_instances) + " of " +
         std::to_string(now.instances) + " instances are warming up";
}

std::string BatchEngine::busy_with() const {
  std::string text = std::to_string(gate_.inside()) + " requests";
  for (const auto& worker : workers_) {
    text += ", instance " + std::to_string(worker->index()) + " runs " + worker->busy_with();
  }
  return text;
}

std::string BatchEngine::status() const {
  const BatcherSnapshot now = snapshot();
  JsonText json;
  json.begin_object();
  json.key("model").raw(model_.status());
  json.key("signature").string(model_.signature().to_string());
  json.key("max_batch").number(static_cast<std::int64_t>(options_.max_batch));
  json.key("max_queue").number(static_cast<std::int64_t>(options_.max_queue));
  json.key("queued").number(static_cast<std::int64_t>(now.queued));
  json.key("in_flight").number(static_cast<std::int64_t>(now.in_flight));
  json.key("instances").number(now.instances);
  json.key("ready_instances").number(now.ready_instances);
  json.key("busy_instances").number(now.busy_instances);
  json.key("batches").number(static_cast<std::int64_t>(now.batches));
  json.key("computed").number(static_cast<std::int64_t>(now.computed));
  json.key("predicted_wait_us")
      .number(static_cast<std::int64_t>(now.predicted_wait.count() / 1000));
  json.end_object();
  return std::move(json).text();
}

}  // namespace aiserve::inline v0::detail
