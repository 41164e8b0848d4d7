#include "serving/batch_metrics.hpp"

#include <algorithm>

namespace aiserve::inline v0::detail {
namespace {

Counter& abandoned(Metrics& metrics, const std::string& batcher, const char* cause) {
  return metrics.counter("aiserve_batcher_abandoned_total",
                         "Requests that were not computed, because nobody waited for the answer "
                         "any more or it would have come too late",
                         {{"batcher", batcher}, {"cause", cause}});
}

}  // namespace

BatchMetrics::BatchMetrics(Telemetry& telemetry, const std::string& batcher)
    : batch_size_(telemetry.metrics().histogram("aiserve_batcher_batch_rows", "Rows per batch",
                                                {{"batcher", batcher}}, bounds::sizes())),
      queue_(telemetry.metrics().histogram("aiserve_batcher_queue_seconds",
                                           "Time from submission until the batch was taken",
                                           {{"batcher", batcher}})),
      compute_(telemetry.metrics().histogram("aiserve_batcher_compute_seconds",
                                             "Time of one model run", {{"batcher", batcher}})),
      total_(telemetry.metrics().histogram("aiserve_batcher_total_seconds",
                                           "Time from submission until the result was there",
                                           {{"batcher", batcher}})),
      expired_(detail::abandoned(telemetry.metrics(), batcher, "deadline")),
      cancelled_(detail::abandoned(telemetry.metrics(), batcher, "cancelled")),
      late_(detail::abandoned(telemetry.metrics(), batcher, "late")),
      failed_rows_(telemetry.metrics().counter("aiserve_batcher_failed_rows_total",
                                               "Rows that ended in an error",
                                               {{"batcher", batcher}})),
      unread_rows_(telemetry.metrics().counter("aiserve_batcher_unread_rows_total",
                                               "Rows computed whose caller had gone meanwhile",
                                               {{"batcher", batcher}})),
      reruns_(telemetry.metrics().counter("aiserve_batcher_reruns_total",
                                          "Parts of failed batches that were run again",
                                          {{"batcher", batcher}})),
      hung_(telemetry.metrics().counter("aiserve_batcher_hung_total",
                                        "Batches that took longer than the hard limit",
                                        {{"batcher", batcher}})),
      elements_(telemetry.metrics().counter("aiserve_batcher_elements_total",
                                            "Elements of the inputs of variable length",
                                            {{"batcher", batcher}})),
      padding_(telemetry.metrics().counter("aiserve_batcher_padding_elements_total",
                                           "Elements that were padding", {{"batcher", batcher}})),
      tenant_rows_(telemetry.metrics().counter("aiserve_batcher_tenant_rows_total",
                                               "Rows computed, by tenant", telemetry.tenants(),
                                               {{"batcher", batcher}})) {
  for (std::size_t i = 0; i < dispatched_.size(); ++i) {
    const std::string reason(to_string(static_cast<DispatchReason>(i)));
    dispatched_[i] =
        &telemetry.metrics().counter("aiserve_batcher_batches_total", "Batches started, by reason",
                                     {{"batcher", batcher}, {"reason", reason}});
  }
  for (const ErrcTraits& row : all_errc_traits()) {
    refused_[static_cast<std::size_t>(row.code)] = &telemetry.metrics().counter(
        "aiserve_batcher_refused_total", "Requests refused, by error code",
        {{"batcher", batcher}, {"code", std::string(row.label)}});
  }
}

void BatchMetrics::batch(const Ride& ride, const Padding& padding) noexcept {
  batch_size_.observe(static_cast<double>(ride.size));
  compute_.observe(ride.compute);
  dispatched_[static_cast<std::size_t>(ride.reason)]->inc();
  if (ride.reruns != 0) reruns_.inc(ride.reruns);
  if (padding.elements_real == 0) return;
  elements_.inc(padding.elements_real);
  padding_.inc(padding.elements_padded);
}

void BatchMetrics::row(Duration queue, Duration total) noexcept {
  queue_.observe(queue);
  total_.observe(total);
}

}  // namespace aiserve::inline v0::detail
