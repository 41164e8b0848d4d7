// MemoryJobs: the tables of a MemoryJobStore and what happens to them. decide::step() says what
// follows; here it is written down. Not thread-safe; `now` is the wall clock and `steady` the clock
// of leases, in nanoseconds.
#pragma once

#include <map>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>

#include "aiserve/jobs/job_operator.hpp"
#include "aiserve/jobs/job_reader.hpp"
#include "aiserve/jobs/job_store.hpp"
#include "decide/order_line.hpp"
#include "jobs/job_row.hpp"

namespace aiserve::inline v0::detail {

struct JobTime {
  std::int64_t now = 0;
  std::int64_t steady = 0;
};

class MemoryJobs {
 public:
  /// Errors: overloaded. Nothing was changed then.
  Result<void> admit(std::span<const NewJob> jobs, std::size_t max_jobs, const JobTime& time);
  Enqueued enqueue(const NewJob& job, const JobTime& time);
  int promote(const JobTime& time, int limit);
  std::vector<Backlog> backlog(std::string_view kind) const;
  bool paused(std::string_view kind) const {
    return paused_.contains("") || paused_.contains(kind);
  }
  bool has_lease(WorkerId worker, const JobTime& time) const;
  void claim(WorkerId worker, const ClaimQuota& quota, const JobTime& time,
             std::vector<ClaimedJob>& claimed);
  Settled settle(const Settlement& settlement, const JobTime& time);
  HeartbeatReply heartbeat(WorkerId worker, std::chrono::milliseconds lease, const JobTime& time);
  MaintenanceReport maintain(int limit, std::int64_t kept, const JobTime& time);
  /// Errors: not_found.
  Result<JobInfo> get(const TenantId& tenant, JobId id) const;
  /// Errors: not_found.
  Result<Bytes> input(const TenantId& tenant, JobId id) const;
  std::vector<JobInfo> list(const TenantId& tenant, const JobPage& page) const;
  std::vector<bool> refers(const TenantId& tenant, std::span<const Bytes> references) const;
  /// Errors: not_found, conflict.
  Result<JobInfo> control(const TenantId& tenant, JobId id, JobAction action, const JobTime& time);
  JobStoreStats stats(const JobTime& time) const;
  void pause(std::string_view kind) { paused_.emplace(kind); }
  void resume(std::string_view kind);
  /// Of those that ended before then.
  int prune_finished(int limit, std::int64_t before);
  /// Jobs were made available since the last call.
  bool take_made_ready() noexcept { return std::exchange(made_ready_, false); }

 private:
  using Ranked = std::pair<std::int64_t, std::int64_t>;  // rank or time, id
  using KeyName = std::tuple<TenantId, std::string, std::string>;

  struct Row : JobRow {
    Bytes input;
  };
  /// What is open of one kind and tenant.
  struct Lane {
    std::set<Ranked> ready;
    std::int64_t waiting = 0;
    std::int64_t running = 0;
  };
  struct Line {
    decide::OrderLine now;
    std::set<std::int64_t> waiting;
  };
  struct Unique {
    std::int64_t id;
    std::int64_t expires_at;
  };

  bool advance(Row& row, const decide::JobEvent& event, const JobTime& time);
  void list_row(const Row& row);
  void unlist_row(const Row& row);
  void close(Row& row, const JobTime& time);
  void leave_line(const Row& row, const JobTime& time);
  Row* find(const TenantId& tenant, JobId id);
  const Row* find(const TenantId& tenant, JobId id) const;
  std::optional<JobId> unique_hit(const NewJob& job, std::int64_t now) const;
  void rescue(int limit, const JobTime& time, MaintenanceReport& report);
  void prune(int limit, std::int64_t kept, const JobTime& time, MaintenanceReport& report);
  Result<JobInfo> redrive(Row& row, const JobTime& time);
  /// Gives it its place under its order key; absent: it was redriven.
  void line_up(Row& row, std::optional<int> order_concurrency);
  static JobInfo summary(const JobRow& row);
  static KeyName order_of(const JobRow& row) { return {row.tenant, row.kind, *row.order_key}; }

  std::map<std::int64_t, Row> rows_;
  std::map<std::string, std::map<TenantId, Lane>, std::less<>> lanes_;
  std::set<Ranked> due_;
  std::set<std::int64_t> running_;
  std::set<Ranked> finished_;
  std::map<KeyName, Line> ordered_;
  std::map<KeyName, Unique> uniques_;
  std::map<WorkerId, std::int64_t> workers_;   // until
  std::set<std::string, std::less<>> paused_;  // "": all
  std::int64_t last_id_ = 0;
  bool made_ready_ = false;
};

}  // namespace aiserve::inline v0::detail
