// BatchEngine: what it tells about itself.
#include <algorithm>
#include <cmath>

#include "aiserve/core/telemetry.hpp"
#include "core/json_text.hpp"
#include "serving/engine.hpp"

namespace aiserve::inline v0::detail {

// Of all fleets: one that was replaced may hang in its last batch.
std::vector<InstanceWorker*> BatchEngine::hung_locked(TimePoint now) const {
  std::vector<InstanceWorker*> hung;
  if (hard_limit_ == Duration::zero()) return hung;
  const auto look = [&](const Fleet& fleet) {
    for (const auto& worker : fleet.workers) {
      if (worker->running_for(now) >= hard_limit_) hung.push_back(worker.get());
    }
  };
  look(*fleet_);
  for (const auto& old : old_fleets_) look(*old);
  return hung;
}

BatcherSnapshot BatchEngine::snapshot() const {
  BatcherSnapshot now;
  now.in_flight = gate_.inside();
  now.batches = next_batch_id_.load(std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  now.instances = static_cast<int>(fleet_->workers.size());
  for (const auto& worker : fleet_->workers) now.ready_instances += worker->ready() ? 1 : 0;
  const decide::CostModel& costs = scheduler_.main_costs();
  const decide::SchedulerOptions& knobs = scheduler_.options();
  now.queued = scheduler_.rows();
  now.busy_instances = static_cast<int>(busy_);
  now.active_instances = static_cast<int>(active_);
  now.max_batch = knobs.max_batch;
  const bool learned = knobs.learn_cap && costs.known();
  now.knee = learned ? costs.knee(knobs.max_batch) : knobs.max_batch;
  now.announced = scheduler_.announced();
  now.computed = computed_;
  now.computing = computing_;
  now.reruns = reruns_;
  now.version = version_;
  now.predicted_wait = Duration(scheduler_.predicted_wait(busy_));
  now.latency_goal = tuning_.goal();
  now.tuning = tuning_.to_string();
  const decide::CostFit fit = costs.fit();
  now.fit_base = Duration(std::llround(fit.base_ns));
  now.fit_per_row = Duration(std::llround(fit.per_row_ns));
  now.hung_instances = static_cast<int>(hung_locked(runtime_.clock().now()).size());
  for (const decide::CostPoint& point : costs.points()) {
    now.times.push_back({point.rows, Duration(point.mean), Duration(point.p95), point.count});
  }
  return now;
}

Duration BatchEngine::predicted_wait() const {
  const std::scoped_lock lock(mutex_);
  return Duration(scheduler_.predicted_wait(busy_));
}

std::size_t BatchEngine::largest_group() const {
  const std::scoped_lock lock(mutex_);
  return std::min(scheduler_.options().max_batch, scheduler_.options().max_queue);
}

std::string BatchEngine::not_ready() const {
  const std::scoped_lock lock(mutex_);
  std::size_t ready = 0;
  for (const auto& worker : fleet_->workers) ready += worker->ready() ? 1 : 0;
  const std::size_t all = fleet_->workers.size();
  if (ready != all) {
    return std::to_string(all - ready) + " of " + std::to_string(all) + " instances are warming up";
  }
  const std::vector<InstanceWorker*> hung = hung_locked(runtime_.clock().now());
  if (hung.empty()) return {};
  return "instance " + std::to_string(hung.front()->index()) + " runs " + hung.front()->busy_with();
}

std::string BatchEngine::busy_with() const {
  std::string text = std::to_string(gate_.inside()) + " requests";
  const std::scoped_lock lock(mutex_);
  for (const auto& worker : fleet_->workers) {
    text += ", instance " + std::to_string(worker->index()) + " runs " + worker->busy_with();
  }
  return text;
}

namespace {

std::int64_t micros(Duration duration) noexcept { return duration.count() / 1000; }

void append_times(JsonText& json, const std::vector<BatchTime>& times) {
  json.key("times").begin_array();
  for (const BatchTime& time : times) {
    json.begin_object();
    json.key("rows").number(static_cast<std::int64_t>(time.rows));
    json.key("mean_us").number(micros(time.mean));
    json.key("p95_us").number(micros(time.p95));
    json.key("batches").number(static_cast<std::int64_t>(time.batches));
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string BatchEngine::status() const {
  const BatcherSnapshot now = snapshot();
  JsonText json;
  const auto count = [&json](std::string_view key, auto value) {
    json.key(key).number(static_cast<std::int64_t>(value));
  };
  json.begin_object();
  {
    const std::scoped_lock lock(mutex_);
    fleet_->backend->describe(json);
    count("max_queue", scheduler_.options().max_queue);
  }
  count("max_batch", now.max_batch);
  count("knee", now.knee);
  count("queued", now.queued);
  count("announced", now.announced);
  count("in_flight", now.in_flight);
  count("instances", now.instances);
  count("ready_instances", now.ready_instances);
  count("active_instances", now.active_instances);
  count("busy_instances", now.busy_instances);
  count("hung_instances", now.hung_instances);
  count("fit_base_us", micros(now.fit_base));
  json.key("fit_per_row_us").number(static_cast<double>(now.fit_per_row.count()) / 1000);
  count("batches", now.batches);
  count("computed", now.computed);
  count("computing_us", micros(now.computing));
  count("reruns", now.reruns);
  count("version", now.version);
  count("predicted_wait_us", micros(now.predicted_wait));
  if (now.latency_goal != Duration::zero()) {
    count("latency_goal_us", micros(now.latency_goal));
    json.key("tuning").string(now.tuning);
  }
  append_times(json, now.times);
  json.end_object();
  return std::move(json).text();
}

void BatchEngine::log_callback_error(const Error& error) noexcept {
  const std::string text = error.to_string();
  runtime_.telemetry().log().error("a callback of submit() threw",
                                   {{"batcher", options_.name}, {"error", text}});
}

}  // namespace aiserve::inline v0::detail
