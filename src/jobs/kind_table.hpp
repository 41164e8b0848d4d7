// KindTable: the kinds of jobs that this process has handlers for. Filled at wiring, read by any
// thread afterwards.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/jobs/job_handler.hpp"
#include "aiserve/jobs/job_queue_options.hpp"
#include "decide/attempt_limits.hpp"
#include "decide/backoff.hpp"
#include "decide/job_quota.hpp"
#include "decide/start_rate.hpp"
#include "jobs/job_metrics.hpp"

namespace aiserve::inline v0::detail {

struct JobKind {
  std::string name;    ///< without the version
  std::string stored;  ///< with it, see job_kind()
  JobKindOptions options;
  JobHandler handler;
  decide::BackoffPolicy backoff;
  decide::StartRate rate;
  decide::StartRate order_rate;
  KindMetrics metrics;

  /// Of an attempt at a job with this hard limit.
  decide::AttemptLimits limits(std::chrono::milliseconds timeout) const noexcept;
};

class KindTable {
 public:
  explicit KindTable(const JobQueueOptions& options) : options_(options) {}

  /// Throws ConfigError.
  void add(std::string name, JobKindOptions options, JobHandler handler, JobMetrics& metrics);
  /// By the stored name; null if there is none.
  const JobKind* find(std::string_view stored) const noexcept;
  /// The highest version of a kind; null if there is none.
  const JobKind* latest(std::string_view name) const noexcept;
  const std::deque<JobKind>& all() const noexcept { return kinds_; }

 private:
  const JobQueueOptions& options_;
  std::deque<JobKind> kinds_;
  std::map<std::string, const JobKind*, std::less<>> by_stored_;
};

}  // namespace aiserve::inline v0::detail
