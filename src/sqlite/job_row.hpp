// The statements that read and write the rows of waiting, running and finished jobs. `run_until` is
// the boot clock in ms.
#pragma once

#include "jobs/job_row.hpp"
#include "sqlite/connection.hpp"

namespace aiserve::inline v0::detail {

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

}  // namespace aiserve::inline v0::detail
