// Settler: outcomes on their way to the store: in batches, again after failures, each until the
// store has said applied or stale. On the dispatcher's thread.
#pragma once

#include <deque>

#include "aiserve/core/deadline.hpp"
#include "aiserve/core/log.hpp"
#include "jobs/job_run.hpp"

namespace aiserve::inline v0::detail {

class Settler {
 public:
  /// `objects_last`: how long after its attempt an outcome may still refer to objects, which are
  /// swept some time later.
  Settler(JobMetrics& metrics, Logger& log, Duration objects_last)
      : metrics_(metrics), log_(log), objects_last_(objects_last) {}

  void add(JobRunPtr run) { waiting_.push_back(std::move(run)); }
  bool empty() const noexcept { return size() == 0; }
  std::size_t size() const noexcept { return waiting_.size() + taken_.size() + held_up_.size(); }
  bool has_work(TimePoint now) const noexcept {
    return now >= resting_until_ &&
           (!waiting_.empty() || (!held_up_.empty() && now >= held_up_until_));
  }
  /// Those that cannot be told now: the store failed and gets a pause, or others hold their keys.
  std::size_t stuck(TimePoint now) const noexcept {
    return resting_until_ > now ? size() : held_up_.size();
  }
  /// When those are told again.
  Deadline next_try(TimePoint now) const noexcept {
    if (resting_until_ > now) return Deadline(resting_until_);
    return held_up_.empty() ? Deadline::never() : Deadline(held_up_until_);
  }

  /// What the store is to be told now, at most kBatch; done() says how that went. Outcomes whose
  /// objects may be swept are forgotten: their jobs come back.
  std::vector<Settlement> take(TimePoint now);
  void done(const Result<std::vector<Settled>>& answer, TimePoint now);
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const JobRunPtr& run : waiting_) visit(*run);
    for (const JobRunPtr& run : taken_) visit(*run);
    for (const JobRunPtr& run : held_up_) visit(*run);
  }
  /// Those that can be recorded in no way, since the last call.
  std::vector<JobRunPtr> take_unrecordable() { return std::exchange(unrecordable_, {}); }
  /// Forgets what the store could not be told: its jobs come back when their leases end.
  void give_up();

 private:
  static constexpr std::size_t kBatch = 500;

  static Settlement to_settlement(JobRun& run);
  bool outdated(JobRun& run, TimePoint now) const;
  void record(const JobRun& run, Settled settled);
  void refused(const Error& error);
  void put_back(TimePoint until);

  JobMetrics& metrics_;
  Logger& log_;
  const Duration objects_last_;
  std::deque<JobRunPtr> waiting_;
  std::vector<JobRunPtr> taken_;
  std::vector<JobRunPtr> held_up_;  // by others' keys
  std::vector<JobRunPtr> unrecordable_;
  TimePoint held_up_until_ = TimePoint::min();
  TimePoint resting_until_ = TimePoint::min();
  Duration pause_{0};
};

}  // namespace aiserve::inline v0::detail
