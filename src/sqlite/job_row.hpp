// JobRow: a row of the table of waiting and running jobs, or of the finished ones, and the
// statements that read and write it. What changes it is decide::step(), see job_transaction.hpp.
#pragma once

#include "aiserve/jobs/job_store.hpp"
#include "decide/job_state.hpp"
#include "sqlite/connection.hpp"

namespace aiserve::inline v0::detail {

struct JobRow {
  std::int64_t id = 0;
  TenantId tenant;
  std::string kind;
  decide::JobCore core;
  bool blocked = false;        ///< an older job has the order key
  std::int64_t run_until = 0;  ///< boot clock in ms: when the attempt is taken away
  std::int64_t rank = 0;
  int priority = 0;
  decide::JobRules rules;
  std::int64_t timeout_ms = 0;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> started_at;
  std::optional<std::int64_t> start_before;
  std::optional<std::string> unique_key;
  JobUniqueScope unique_scope = JobUniqueScope::unfinished;
  std::optional<std::string> order_key;
  std::string trace;
  std::string error;
  // Of finished ones:
  std::int64_t finished_at = 0;
  std::optional<Bytes> result;

  bool final() const noexcept { return decide::is_final(core.state); }
};

/// A waiting or running job.
std::optional<JobRow> find_open(Connection& connection, const TenantId& tenant, JobId id);
/// A finished job, with its result.
std::optional<JobRow> find_done(Connection& connection, const TenantId& tenant, JobId id);
/// The jobs that a claim gives next, with their inputs.
std::vector<std::pair<JobRow, Bytes>> next_ready(Connection& connection, const ClaimQuota& quota);
/// Waiting jobs whose time has come.
std::vector<JobRow> due_jobs(Connection& connection, std::int64_t now, int limit);
/// Running jobs whose worker's lease has ended, or which are beyond their timeout.
std::vector<JobRow> lost_jobs(Connection& connection, std::int64_t boot, std::int64_t boot_ms,
                              int limit);

/// A row without id gets one.
void insert_open(Connection& connection, JobRow& row);
void update_open(Connection& connection, const JobRow& row);
void delete_open(Connection& connection, const JobRow& row);
void insert_done(Connection& connection, const JobRow& row);
void delete_done(Connection& connection, const JobRow& row);

JobInfo to_info(JobRow row);

}  // namespace aiserve::inline v0::detail
