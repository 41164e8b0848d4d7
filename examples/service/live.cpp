#include "live.hpp"

#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

namespace service {

using namespace std::chrono_literals;
using aiserve::Async;
using aiserve::Context;
using aiserve::Duration;
using aiserve::HistogramSnapshot;
using aiserve::Result;
using aiserve::TimePoint;
namespace http = aiserve::http;

namespace {

using Json = nlohmann::ordered_json;
constexpr auto kInterval = 250ms;

double rounded(double value) { return std::round(value * 1e3) / 1e3; }

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

double ms(const HistogramSnapshot& times, double quantile) {
  return rounded(times.quantile(quantile) * 1e3);
}

Json sizes_json(const RideWindow& window) {
  Json pairs = Json::array();
  for (const auto& [size, count] : window.sizes) pairs.push_back(Json::array({size, count}));
  return pairs;
}

std::string stats_json(const RideWindow& window, const aiserve::BatcherSnapshot& now,
                       Duration interval) {
  Json json;
  json["requests_per_s"] = rounded(static_cast<double>(window.rides) / seconds(interval));
  json["in_flight"] = now.in_flight;
  json["queue_depth"] = now.queued;
  json["mean_batch"] = rounded(window.mean_batch());
  json["batches"] = sizes_json(window);
  json["latency_ms"] = {{"p50", ms(window.latency, 0.50)},
                        {"p95", ms(window.latency, 0.95)},
                        {"p99", ms(window.latency, 0.99)}};
  json["queue_ms"] = {{"p50", ms(window.queue, 0.50)}, {"p99", ms(window.queue, 0.99)}};
  json["compute_ms"] = {{"p50", ms(window.compute, 0.50)}, {"p99", ms(window.compute, 0.99)}};
  return json.dump();
}

std::string fire_json(const FireReport& report) {
  Json json;
  json["id"] = report.id;
  json["state"] = to_string(report.state);
  json["done"] = report.done;
  json["total"] = report.total;
  json["correct"] = report.correct;
  json["accuracy"] = report.accuracy();
  json["per_s"] = rounded(report.per_second());
  json["mean_batch"] = rounded(report.mean_batch());
  json["elapsed_ms"] = std::chrono::round<std::chrono::milliseconds>(report.elapsed).count();
  json["concurrency"] = report.concurrency;
  return json.dump();
}

}  // namespace

Live::Live(aiserve::Runtime& runtime, aiserve::Batcher& batcher, RideRecorder& recorder, Fire& fire)
    : runtime_(runtime), batcher_(batcher), recorder_(recorder), fire_(fire) {
  fire_.on_end([this](const FireReport& report) { publish_end(report); });
  const auto begin = [this] {
    aiserve::spawn(runtime_, ticking_, [this](const Context& ctx) { return tick(ctx); });
  };
  const auto end = [this] { ticking_.cancel(aiserve::CancelReason::shutdown); };
  attachment_ = runtime_.attach({.name = "live", .start = begin, .stop_accepting = end});
}

Async<void> Live::tick(const Context& ctx) {
  TimePoint last = runtime_.clock().now();
  while (true) {
    const Result<void> slept = co_await aiserve::sleep(ctx, kInterval);
    if (!slept) co_return aiserve::success();
    const TimePoint now = runtime_.clock().now();
    publish_stats(now - last);
    publish_running();
    last = now;
  }
}

Async<void> Live::follow(const Context& ctx, http::EventStream stream) {
  {
    const std::scoped_lock lock(mutex_);
    watchers_.push_back(stream);
  }
  while (stream.open()) {
    const Result<void> slept = co_await aiserve::sleep(ctx, kInterval);
    if (!slept) break;
  }
  stream.close();
  co_return aiserve::success();
}

void Live::publish_stats(Duration interval) {
  const std::string data = stats_json(recorder_.take(), batcher_.snapshot(), interval);
  const std::scoped_lock lock(mutex_);
  send_locked("stats", data);
}

/// The report is read under the lock, so that no "running" can follow the end of its run.
void Live::publish_running() {
  const std::scoped_lock lock(mutex_);
  const auto report = fire_.report();
  if (report && report->state == FireState::running) send_locked("fire", fire_json(*report));
}

void Live::publish_end(const FireReport& report) {
  const std::scoped_lock lock(mutex_);
  send_locked("fire", fire_json(report));
}

void Live::send_locked(std::string_view event, std::string_view data) {
  const http::Event message{.event = event, .data = data};
  std::erase_if(watchers_,
                [&](const http::EventStream& watcher) { return !watcher.send(message); });
}

}  // namespace service
