// Settler: outcomes on their way to the store: in batches, again after failures, each until the
// store has said applied or stale. On the dispatcher's thread.
#pragma once

#include <deque>

#include "aiserve/core/log.hpp"
#include "jobs/job_run.hpp"

namespace aiserve::inline v0::detail {

class Settler {
 public:
  Settler(JobMetrics& metrics, Logger& log) : metrics_(metrics), log_(log) {}

  void add(JobRunPtr run) { waiting_.push_back(std::move(run)); }
  bool empty() const noexcept { return waiting_.empty() && taken_.empty(); }
  std::size_t size() const noexcept { return waiting_.size() + taken_.size(); }
  /// The store failed and gets a pause until then.
  TimePoint resting_until() const noexcept { return resting_until_; }
  bool has_work(TimePoint now) const noexcept { return !waiting_.empty() && now >= resting_until_; }

  /// What the store is to be told now, at most kBatch; done() says how that went.
  std::vector<Settlement> take();
  void done(const Result<std::vector<Settled>>& answer, TimePoint now);
  /// Forgets what the store could not be told: its jobs come back when their leases end.
  void give_up();

 private:
  static constexpr std::size_t kBatch = 500;

  static Settlement to_settlement(JobRun& run);
  void record(const JobRun& run, Settled settled);
  void refused(const Error& error);
  void put_back(TimePoint until);

  JobMetrics& metrics_;
  Logger& log_;
  std::deque<JobRunPtr> waiting_;
  std::vector<JobRunPtr> taken_;
  TimePoint resting_until_ = TimePoint::min();
  Duration pause_{0};
};

}  // namespace aiserve::inline v0::detail
