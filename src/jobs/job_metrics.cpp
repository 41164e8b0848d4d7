#include "jobs/job_metrics.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::array<std::string_view, 6> kOutcomes{"done",   "retry",   "snooze",
                                                    "cancel", "discard", "give_back"};
constexpr std::array<double, 10> kBatches{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
// Jobs wait and run from milliseconds to days.
constexpr std::array<double, 14> kSeconds{0.001, 0.005, 0.02, 0.1,  0.5,   2,     10,
                                          60,    300,   900,  3600, 14400, 86400, 604800};

}  // namespace

std::string_view to_string(JobOutcomeKind outcome) noexcept {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

JobMetrics::JobMetrics(Telemetry& telemetry, const std::string& queue)
    : enqueued(telemetry.metrics().counter("aiserve_jobs_enqueued_total", "Jobs enqueued",
                                           {{"queue", queue}})),
      existing(telemetry.metrics().counter("aiserve_jobs_existing_total",
                                           "Jobs not enqueued because of their unique key",
                                           {{"queue", queue}})),
      refused(telemetry.metrics().counter("aiserve_jobs_refused_total",
                                          "Calls of enqueue() refused as overloaded",
                                          {{"queue", queue}})),
      stale(telemetry.metrics().counter("aiserve_jobs_stale_total",
                                        "Outcomes refused because the job was another worker's",
                                        {{"queue", queue}})),
      lease_lost(telemetry.metrics().counter("aiserve_jobs_lease_lost_total",
                                             "Leases that this process lost", {{"queue", queue}})),
      rescued(telemetry.metrics().counter("aiserve_jobs_rescued_total",
                                          "Jobs taken from dead workers or beyond their timeout",
                                          {{"queue", queue}})),
      quarantined(telemetry.metrics().counter("aiserve_jobs_quarantined_total",
                                              "Rescued jobs that were discarded",
                                              {{"queue", queue}})),
      given_back(telemetry.metrics().counter("aiserve_jobs_given_back_total",
                                             "Jobs given back unfinished", {{"queue", queue}})),
      store_errors(telemetry.metrics().counter("aiserve_jobs_store_errors_total",
                                               "Calls of the job store that failed",
                                               {{"queue", queue}})),
      objects_deleted(telemetry.metrics().counter("aiserve_jobs_objects_deleted_total",
                                                  "Objects of payloads that no job referred to",
                                                  {{"queue", queue}})),
      settle_batch(telemetry.metrics().histogram("aiserve_jobs_settle_batch",
                                                 "Outcomes recorded by one call of the store",
                                                 {{"queue", queue}}, kBatches)),
      held(telemetry.metrics().gauge("aiserve_jobs_held", "Jobs claimed by this process",
                                     {{"queue", queue}})),
      unsettled(telemetry.metrics().gauge("aiserve_jobs_unsettled",
                                          "Outcomes that wait for the store, or for a key",
                                          {{"queue", queue}})),
      stuck(telemetry.metrics().gauge("aiserve_jobs_stuck",
                                      "Handlers that run on beyond the timeout of their job",
                                      {{"queue", queue}})),
      metrics_(telemetry.metrics()),
      queue_(queue) {}

KindMetrics JobMetrics::of_kind(const std::string& kind) {
  const Labels labels{{"queue", queue_}, {"kind", kind}};
  KindMetrics made;
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    Labels with_outcome = labels;
    with_outcome.add({"outcome", std::string(kOutcomes[i])});
    made.outcomes[i] = &metrics_.counter("aiserve_jobs_outcomes_total",
                                         "Attempts by their recorded outcome", with_outcome);
  }
  made.wait_seconds = &metrics_.histogram(
      "aiserve_jobs_wait_seconds", "From ready to the start of the handler", labels, kSeconds);
  made.run_seconds =
      &metrics_.histogram("aiserve_jobs_run_seconds", "Of handlers", labels, kSeconds);
  made.ready = &metrics_.gauge("aiserve_jobs_ready", "Jobs that could start", labels);
  made.running =
      &metrics_.gauge("aiserve_jobs_running", "Running jobs of tenants with ready ones", labels);
  made.oldest_seconds = &metrics_.gauge("aiserve_jobs_oldest_seconds",
                                        "How long the next job of the longest queue waits", labels);
  return made;
}

}  // namespace aiserve::inline v0::detail
