// JobMetrics: what a JobQueue counts, by queue and kind.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_store.hpp"

namespace aiserve::inline v0::detail {

/// Of one kind; the gauges are set by the dispatcher.
struct KindMetrics {
  std::array<Counter*, 6> outcomes{};  ///< by JobOutcomeKind, recorded ones
  Histogram* wait_seconds = nullptr;
  Histogram* run_seconds = nullptr;
  Gauge* ready = nullptr;
  Gauge* running = nullptr;  ///< in all processes
  Gauge* oldest_seconds = nullptr;
};

class JobMetrics {
 public:
  JobMetrics(Telemetry& telemetry, const std::string& queue);
  KindMetrics of_kind(const std::string& kind);

  Counter& enqueued;
  Counter& existing;     ///< unique keys that met a job that was there
  Counter& refused;      ///< enqueue() was overloaded
  Counter& stale;        ///< outcomes that came too late to be recorded
  Counter& lease_lost;   ///< times that this worker lost its lease
  Counter& rescued;      ///< jobs that this process took from dead workers
  Counter& quarantined;  ///< of those: discarded
  Counter& given_back;   ///< claimed and not begun in time, or interrupted
  Counter& store_errors;
  Counter& objects_deleted;  ///< of payloads, which no job referred to
  Histogram& settle_batch;
  Gauge& held;
  Gauge& unsettled;  ///< outcomes that the store has not recorded yet
  Gauge& stuck;

 private:
  Metrics& metrics_;
  const std::string queue_;
};

std::string_view to_string(JobOutcomeKind outcome) noexcept;

}  // namespace aiserve::inline v0::detail
