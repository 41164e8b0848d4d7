#include "serving/batch_gauges.hpp"

namespace aiserve::inline v0::detail {
namespace {

struct GaugeSpec {
  const char* name;
  const char* help;
  double (*read)(const BatcherSnapshot&);
};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

constexpr GaugeSpec kGauges[] = {
    {"aiserve_batcher_queued_rows", "Rows that wait",
     [](const BatcherSnapshot& now) { return static_cast<double>(now.queued); }},
    {"aiserve_batcher_busy_instances", "Instances that run a batch",
     [](const BatcherSnapshot& now) { return static_cast<double>(now.busy_instances); }},
    {"aiserve_batcher_active_instances", "Instances that may run at the same time",
     [](const BatcherSnapshot& now) { return static_cast<double>(now.active_instances); }},
    {"aiserve_batcher_hung_instances", "Instances whose batch is past the hard limit",
     [](const BatcherSnapshot& now) { return static_cast<double>(now.hung_instances); }},
    {"aiserve_batcher_max_batch_rows", "Rows a batch may have now",
     [](const BatcherSnapshot& now) { return static_cast<double>(now.max_batch); }},
    {"aiserve_batcher_knee_rows", "Rows beyond which rows per second do not grow",
     [](const BatcherSnapshot& now) { return static_cast<double>(now.knee); }},
    {"aiserve_batcher_fit_base_seconds", "What a batch takes whatever it holds, fitted",
     [](const BatcherSnapshot& now) { return seconds(now.fit_base); }},
    {"aiserve_batcher_fit_row_seconds", "What each row of a batch adds, fitted",
     [](const BatcherSnapshot& now) { return seconds(now.fit_per_row); }},
    {"aiserve_batcher_predicted_wait_seconds", "What a request that came now would wait",
     [](const BatcherSnapshot& now) { return seconds(now.predicted_wait); }},
    {"aiserve_batcher_latency_goal_seconds", "The goal for 99 % of the requests; 0: none",
     [](const BatcherSnapshot& now) { return seconds(now.latency_goal); }},
};

}  // namespace

BatchGauges::BatchGauges(Metrics& metrics, const std::string& batcher,
                         std::function<BatcherSnapshot()> snapshot) {
  for (const GaugeSpec& spec : kGauges) {
    gauges_.push_back(metrics.gauge(spec.name, spec.help, {{"batcher", batcher}},
                                    [read = spec.read, snapshot] { return read(snapshot()); }));
  }
}

}  // namespace aiserve::inline v0::detail
