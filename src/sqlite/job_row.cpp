#include "sqlite/job_row.hpp"

namespace aiserve::inline v0::detail {
namespace {

// All rows are read in the order of the columns of the table.
constexpr const char* kOpen =
    R"sql(SELECT id, tenant, kind, state, blocked, discard_reason, cancel_requested, excused,
          crashes, attempt, worker, run_until, run_at, rank, priority, max_attempts,
          max_crashes, timeout, created_at, started_at, start_before, unique_key,
          unique_scope, order_key, trace, error
          FROM job WHERE tenant = ?1 AND id = ?2)sql";
constexpr const char* kDone =
    R"sql(SELECT id, tenant, kind, state, blocked, discard_reason, cancel_requested, excused,
          crashes, attempt, worker, run_until, run_at, rank, priority, max_attempts,
          max_crashes, timeout, created_at, started_at, start_before, unique_key,
          unique_scope, order_key, trace, error,
          finished_at, result FROM job_done WHERE tenant = ?1 AND id = ?2)sql";
constexpr const char* kReady =
    R"sql(SELECT job.id, job.tenant, job.kind, job.state, job.blocked, job.discard_reason,
          job.cancel_requested, job.excused, job.crashes, job.attempt, job.worker,
          job.run_until, job.run_at, job.rank, job.priority, job.max_attempts,
          job.max_crashes, job.timeout, job.created_at, job.started_at, job.start_before,
          job.unique_key, job.unique_scope, job.order_key, job.trace, job.error,
          job_input.input FROM job JOIN job_input ON job_input.id = job.id
          WHERE job.tenant = ?1 AND job.kind = ?2 AND job.state = 1
          ORDER BY job.rank, job.id LIMIT ?3)sql";
constexpr const char* kDue =
    R"sql(SELECT id, tenant, kind, state, blocked, discard_reason, cancel_requested, excused,
          crashes, attempt, worker, run_until, run_at, rank, priority, max_attempts,
          max_crashes, timeout, created_at, started_at, start_before, unique_key,
          unique_scope, order_key, trace, error
          FROM job WHERE state IN (0, 3) AND blocked = 0 AND run_at <= ?1
          ORDER BY run_at LIMIT ?2 /* across tenants: due */)sql";
constexpr const char* kLost =
    R"sql(SELECT id, tenant, kind, state, blocked, discard_reason, cancel_requested, excused,
          crashes, attempt, worker, run_until, run_at, rank, priority, max_attempts,
          max_crashes, timeout, created_at, started_at, start_before, unique_key,
          unique_scope, order_key, trace, error
          FROM job WHERE state = 2 AND (run_until <= ?2 OR NOT EXISTS (
            SELECT 1 FROM job_worker WHERE job_worker.worker = job.worker
              AND job_worker.lease_boot = ?1 AND job_worker.lease_until > ?2))
          LIMIT ?3 /* across tenants: leases */)sql";
constexpr const char* kInsertOpen =
    R"sql(INSERT INTO job (
            id, tenant, kind, state, blocked, discard_reason, cancel_requested, excused,
          crashes, attempt, worker, run_until, run_at, rank, priority, max_attempts,
          max_crashes, timeout, created_at, started_at, start_before, unique_key,
          unique_scope, order_key, trace, error)
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                  ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26))sql";
constexpr const char* kInsertDone =
    R"sql(INSERT INTO job_done (
            id, tenant, kind, state, blocked, discard_reason, cancel_requested, excused,
          crashes, attempt, worker, run_until, run_at, rank, priority, max_attempts,
          max_crashes, timeout, created_at, started_at, start_before, unique_key,
          unique_scope, order_key, trace, error,
            finished_at, result)
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                  ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28))sql";
constexpr const char* kUpdateOpen =
    R"sql(UPDATE job SET state = ?3, blocked = ?4, discard_reason = ?5, cancel_requested = ?6,
            excused = ?7, crashes = ?8, attempt = ?9, worker = ?10, run_until = ?11,
            run_at = ?12, rank = ?13, started_at = ?14, error = ?15
          WHERE tenant = ?1 AND id = ?2)sql";
constexpr const char* kDeleteOpen = R"sql(DELETE FROM job WHERE tenant = ?1 AND id = ?2)sql";
constexpr const char* kDeleteDone = R"sql(DELETE FROM job_done WHERE tenant = ?1 AND id = ?2)sql";

constexpr int kColumns = 26;

template <class T>
T as(const Query& row, int column) {
  return static_cast<T>(row.integer(column));
}

std::optional<std::int64_t> optional_integer(const Query& row, int column) {
  if (row.null(column)) return std::nullopt;
  return row.integer(column);
}

std::optional<std::string> optional_string(const Query& row, int column) {
  if (row.null(column)) return std::nullopt;
  return row.string(column);
}

decide::JobCore read_core(const Query& row) {
  decide::JobCore core;
  core.state = as<decide::JobState>(row, 3);
  core.discard_reason = as<decide::DiscardReason>(row, 5);
  core.cancel_requested = row.integer(6) != 0;
  core.excused = as<std::uint32_t>(row, 7);
  core.crashes = as<std::uint32_t>(row, 8);
  core.fence = {.attempt = as<std::uint32_t>(row, 9), .worker = as<std::uint64_t>(row, 10)};
  core.run_at = row.integer(12);
  return core;
}

JobRow read_row(const Query& row) {
  JobRow job;
  job.id = row.integer(0);
  job.tenant = TenantId(row.text(1));
  job.kind = row.string(2);
  job.core = read_core(row);
  job.blocked = as<int>(row, 4);
  job.run_until = row.integer(11);
  job.rank = row.integer(13);
  job.priority = as<int>(row, 14);
  job.rules = {.max_attempts = as<std::uint32_t>(row, 15),
               .max_crashes = as<std::uint32_t>(row, 16)};
  job.timeout_ms = row.integer(17);
  job.created_at = row.integer(18);
  job.started_at = optional_integer(row, 19);
  job.start_before = optional_integer(row, 20);
  job.unique_key = optional_string(row, 21);
  job.unique_scope = as<JobUniqueScope>(row, 22);
  job.order_key = optional_string(row, 23);
  job.trace = row.string(24);
  job.error = row.string(25);
  return job;
}

std::vector<JobRow> read_rows(Query& query) {
  std::vector<JobRow> rows;
  while (query.row()) rows.push_back(read_row(query));
  return rows;
}

// Binds a row in the order of the columns; `more` follows.
template <class... More>
void insert(Connection& connection, const char* sql, const JobRow& job, const More&... more) {
  std::optional<std::int64_t> id;
  if (job.id != 0) id = job.id;
  const decide::JobCore& core = job.core;
  Query(connection, sql, id, job.tenant, job.kind, static_cast<int>(core.state), job.blocked,
        static_cast<int>(core.discard_reason), core.cancel_requested, core.excused, core.crashes,
        core.fence.attempt, core.fence.worker, job.run_until, core.run_at, job.rank, job.priority,
        job.rules.max_attempts, job.rules.max_crashes, job.timeout_ms, job.created_at,
        job.started_at, job.start_before, job.unique_key, static_cast<int>(job.unique_scope),
        job.order_key, job.trace, job.error, more...)
      .run();
}

}  // namespace

std::optional<JobRow> find_open(Connection& connection, const TenantId& tenant, JobId id) {
  Query query(connection, kOpen, tenant, id.value());
  if (!query.row()) return std::nullopt;
  return read_row(query);
}

std::optional<JobRow> find_done(Connection& connection, const TenantId& tenant, JobId id) {
  Query query(connection, kDone, tenant, id.value());
  if (!query.row()) return std::nullopt;
  JobRow row = read_row(query);
  row.finished_at = query.integer(kColumns);
  if (!query.null(kColumns + 1)) row.result = query.bytes(kColumns + 1);
  return row;
}

std::vector<std::pair<JobRow, Bytes>> next_ready(Connection& connection, const ClaimQuota& quota) {
  std::vector<std::pair<JobRow, Bytes>> jobs;
  Query query(connection, kReady, quota.tenant, quota.kind, quota.n);
  while (query.row()) jobs.emplace_back(read_row(query), query.bytes(kColumns));
  return jobs;
}

std::vector<JobRow> due_jobs(Connection& connection, std::int64_t now, int limit) {
  Query query(connection, kDue, now, limit);
  return read_rows(query);
}

std::vector<JobRow> lost_jobs(Connection& connection, std::int64_t boot, std::int64_t boot_ms,
                              int limit) {
  Query query(connection, kLost, boot, boot_ms, limit);
  return read_rows(query);
}

void insert_open(Connection& connection, JobRow& row) {
  insert(connection, kInsertOpen, row);
  row.id = connection.last_id();
}

void update_open(Connection& connection, const JobRow& row) {
  const decide::JobCore& core = row.core;
  Query(connection, kUpdateOpen, row.tenant, row.id, static_cast<int>(core.state), row.blocked,
        static_cast<int>(core.discard_reason), core.cancel_requested, core.excused, core.crashes,
        core.fence.attempt, core.fence.worker, row.run_until, core.run_at, row.rank, row.started_at,
        row.error)
      .run();
}

void delete_open(Connection& connection, const JobRow& row) {
  Query(connection, kDeleteOpen, row.tenant, row.id).run();
}

void insert_done(Connection& connection, const JobRow& row) {
  insert(connection, kInsertDone, row, row.finished_at, row.result);
}

void delete_done(Connection& connection, const JobRow& row) {
  Query(connection, kDeleteDone, row.tenant, row.id).run();
}

}  // namespace aiserve::inline v0::detail
