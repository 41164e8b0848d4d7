// ClaimPlanner: how many jobs of which tenant and kind to claim now: what the store said waits, the
// limits of kinds and tenants, pauses, and fair shares (decide/job_quota.hpp).
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "aiserve/core/clock.hpp"
#include "decide/job_quota.hpp"
#include "jobs/job_run.hpp"
#include "jobs/rate_keeper.hpp"

namespace aiserve::inline v0::detail {

class ClaimPlanner {
 public:
  /// `rates` holds those of tenants, if all processes share them; else it is empty.
  ClaimPlanner(const KindTable& kinds, const JobQueueOptions& options, const Clock& clock,
               RateKeeper& rates)
      : kinds_(kinds), options_(options), clock_(clock), rates_(rates) {}

  void update(std::vector<Backlog> rows);
  std::vector<ClaimQuota> plan(std::size_t free_slots);
  /// When the rate of a tenant lets the next job start that could not be planned.
  Deadline next_start() const noexcept { return next_start_; }
  const std::vector<Backlog>& rows() const noexcept { return rows_; }
  std::int64_t ready() const noexcept { return ready_; }
  /// What runs decides what may start.
  bool has_limits() const noexcept;
  /// Of late, of a kind by its stored name; of all kinds if it has not run here.
  double mean_run_seconds(std::string_view kind) const noexcept;

  /// How long a job that was claimed is too early for the rate of its order key. None: it counts as
  /// a start now.
  Duration too_early(const JobRun& run);
  void claimed(JobRun& run);
  /// All that a claim brought was told. Not answered: it may have brought some.
  void claim_ended(bool answered);
  /// `cost` in the unit of the host, `seconds` that the handler ran.
  void settled(const JobRun& run, double cost, double seconds);
  /// It did not run after all.
  void returned(const JobRun& run);

  /// Any thread.
  void pause(std::string_view kind);
  void pause_all();
  void resume(std::string_view kind);
  void resume_all();

  double weight_of(const TenantId& tenant) const;

 private:
  struct Question;

  Backlog* row_of(const JobRun& run) noexcept;
  decide::RunLimit limit_of(const JobKind& kind, bool paused) const;
  std::size_t may_start(const JobKind& kind, const TenantId& tenant, decide::Nanos now);
  std::size_t claimable(const Backlog& row, std::size_t planned);
  void update_gauges() const;

  const KindTable& kinds_;
  const JobQueueOptions& options_;
  const Clock& clock_;
  RateKeeper& rates_;
  std::vector<Backlog> rows_;
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> index_;  // tenant, kind
  std::int64_t ready_ = 0;
  decide::JobShares shares_;
  std::map<const JobKind*, double> run_seconds_;  // means of late
  double all_run_seconds_ = 0;
  std::map<std::pair<const JobKind*, TenantId>, decide::Nanos> spent_until_;
  std::map<std::tuple<const JobKind*, TenantId, std::string>, decide::Nanos> key_spent_until_;
  Deadline next_start_;
  mutable std::mutex mutex_;  // of pauses
  std::set<std::string, std::less<>> paused_;
  bool all_paused_ = false;
};

}  // namespace aiserve::inline v0::detail
