#include "serving/batch_metrics.hpp"

namespace aiserve::inline v0::detail {
namespace {

Counter& dispatched(Metrics& metrics, const std::string& batcher, DispatchReason reason) {
  return metrics.counter("aiserve_batcher_batches_total", "Batches started, by reason",
                         {{"batcher", batcher}, {"reason", std::string(to_string(reason))}});
}

Counter& abandoned(Metrics& metrics, const std::string& batcher, const char* cause) {
  return metrics.counter("aiserve_batcher_abandoned_total",
                         "Requests whose caller was gone before they were computed",
                         {{"batcher", batcher}, {"cause", cause}});
}

}  // namespace

BatchMetrics::BatchMetrics(Metrics& metrics, const std::string& batcher)
    : batch_size_(metrics.histogram("aiserve_batcher_batch_rows", "Rows per batch",
                                    {{"batcher", batcher}}, bounds::sizes())),
      queue_(metrics.histogram("aiserve_batcher_queue_seconds",
                               "Time from submission until the batch was taken",
                               {{"batcher", batcher}})),
      compute_(metrics.histogram("aiserve_batcher_compute_seconds", "Time of one model run",
                                 {{"batcher", batcher}})),
      total_(metrics.histogram("aiserve_batcher_total_seconds",
                               "Time from submission until the result was there",
                               {{"batcher", batcher}})),
      expired_(detail::abandoned(metrics, batcher, "deadline")),
      cancelled_(detail::abandoned(metrics, batcher, "cancelled")),
      failed_rows_(metrics.counter("aiserve_batcher_failed_rows_total",
                                   "Rows that ended in an error", {{"batcher", batcher}})),
      unread_rows_(metrics.counter("aiserve_batcher_unread_rows_total",
                                   "Rows computed whose caller had gone meanwhile",
                                   {{"batcher", batcher}})),
      dispatched_{&detail::dispatched(metrics, batcher, DispatchReason::full),
                  &detail::dispatched(metrics, batcher, DispatchReason::idle)} {
  for (const ErrcTraits& row : all_errc_traits()) {
    refused_[static_cast<std::size_t>(row.code)] = &metrics.counter(
        "aiserve_batcher_refused_total", "Requests refused at the door, by error code",
        {{"batcher", batcher}, {"code", std::string(row.label)}});
  }
}

void BatchMetrics::batch(std::size_t rows, DispatchReason reason, Duration compute) noexcept {
  batch_size_.observe(static_cast<double>(rows));
  compute_.observe(compute);
  dispatched_[static_cast<std::size_t>(reason)]->inc();
}

void BatchMetrics::row(Duration queue, Duration total) noexcept {
  queue_.observe(queue);
  total_.observe(total);
}

}  // namespace aiserve::inline v0::detail
