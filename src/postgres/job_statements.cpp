#include "postgres/job_statements.hpp"

#include <functional>

namespace aiserve::inline v0::pg {
namespace {

// All jobs are read in this order.
#define AISERVE_JOB_COLUMNS(table)                                                              \
  table "tenant, " table "id, " table "kind, " table "state, " table "blocked, " table          \
        "discard_reason, " table "cancel_requested, " table "excused, " table "crashes, " table \
        "attempt, " table "worker, " table "run_until, " table "run_at, " table "rank, " table  \
        "priority, " table "max_attempts, " table "max_crashes, " table "timeout, " table       \
        "created_at, " table "started_at, " table "start_before, " table "unique_key, " table   \
        "unique_scope, " table "order_key, " table "trace, " table "error"
#define AISERVE_SELECT_JOB "SELECT " AISERVE_JOB_COLUMNS("job.")

// Order keys, how many have their turn (1,000 at most say that they may), who is first in line.
// Each of the two orders is that of one index alone: by another one the planner would walk through
// all that wait, or through the jobs of all keys.
#define AISERVE_LINE                                                       \
  "SELECT * FROM aiserve.job WHERE tenant = of.tenant AND kind = of.kind " \
  "AND (order_key, id) > (of.order_key, 0) AND order_key <= of.order_key " \
  "AND blocked > 0 AND NOT id = ANY ($4) ORDER BY order_key, id "
#define AISERVE_LINES                                                                         \
  " FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS of (tenant, kind, order_key) "      \
  "CROSS JOIN LATERAL (SELECT count(*) AS n FROM (SELECT FROM aiserve.job "                   \
  "WHERE tenant = of.tenant AND kind = of.kind AND order_key = of.order_key AND blocked = 0 " \
  "AND NOT id = ANY ($4) ORDER BY created_at LIMIT 1000) AS turn) AS turns "                  \
  "LEFT JOIN LATERAL (" AISERVE_LINE "LIMIT 1) AS first ON true "

constexpr const char* kInsert = R"sql(WITH fresh AS MATERIALIZED (
            SELECT nextval('aiserve.job_id') AS id, v.* FROM unnest($2::bytea[], $3::bigint[],
                $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
                $10::bigint[], $11::bigint[], $12::bytea[], $13::bigint[], $14::bytea[],
                $15::bytea[], $16::bytea[], $17::bigint[])
              AS v (kind, state, blocked, run_at, rank, priority, max_attempts, max_crashes,
                    timeout, start_before, unique_key, unique_scope, order_key, trace, input,
                    unique_until)),
          body AS (
            INSERT INTO aiserve.job_input (tenant, id, input) SELECT $1, id, input FROM fresh),
          named AS (
            INSERT INTO aiserve.job_unique (tenant, kind, key, job, expires_at)
            SELECT $1, kind, unique_key, id, unique_until FROM fresh WHERE unique_key IS NOT NULL
            ON CONFLICT (tenant, kind, key)
              DO UPDATE SET job = excluded.job, expires_at = excluded.expires_at),
          made AS (
            INSERT INTO aiserve.job ()sql" AISERVE_JOB_COLUMNS("") R"sql()
            SELECT $1, id, kind, state, blocked, 0, 0, 0, 0, 0, 0, 0, run_at, rank, priority,
              max_attempts, max_crashes, timeout, aiserve.now_ns(), NULL, start_before, unique_key,
              unique_scope, order_key, trace, '' FROM fresh)
          SELECT id FROM fresh)sql";
// Agrees with decide::step(settle_done). `state + 0`: the planner shall not walk the index of all
// that runs.
constexpr const char* kFinish = R"sql(WITH ended AS MATERIALIZED (
            SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])
              AS e (id, attempt, worker, result)),
          gone AS (
            DELETE FROM aiserve.job AS job USING ended
            WHERE job.tenant = $1 AND job.id = ended.id AND job.state + 0 = 2
              AND job.attempt = ended.attempt AND job.worker = ended.worker
            RETURNING job.*, ended.result),
          body AS (
            DELETE FROM aiserve.job_input AS body USING gone
            WHERE body.tenant = $1 AND body.id = gone.id),
          kept AS (
            INSERT INTO aiserve.job_done ()sql" AISERVE_JOB_COLUMNS("") R"sql(, finished_at, result)
            SELECT tenant, id, kind, 4, 0, 0, 0, excused, crashes, attempt, worker, run_until,
              run_at, rank, priority, max_attempts, max_crashes, timeout, created_at, started_at,
              start_before, unique_key, unique_scope, order_key, trace, error, aiserve.now_ns(),
              result FROM gone)
          SELECT id, kind, unique_key, unique_scope, order_key, attempt, worker FROM gone)sql";
constexpr const char* kClose = R"sql(WITH ended AS MATERIALIZED (
            SELECT $2::bigint AS id, $3::bigint AS state, $4::bigint AS discard_reason,
              $5::bigint AS excused, $6::bigint AS crashes, $7::bytea AS error,
              ($8::bytea[])[1] AS result),
          gone AS (
            DELETE FROM aiserve.job AS job USING ended
            WHERE job.tenant = $1 AND job.id = ended.id RETURNING job.*),
          body AS (
            DELETE FROM aiserve.job_input AS body USING ended
            WHERE body.tenant = $1 AND body.id = ended.id RETURNING body.id, body.input)
          INSERT INTO aiserve.job_done ()sql" AISERVE_JOB_COLUMNS(
    "") R"sql(, finished_at, result, input)
            SELECT gone.tenant, gone.id, gone.kind, ended.state, 0, ended.discard_reason, 0,
              ended.excused, ended.crashes, gone.attempt, gone.worker, gone.run_until, gone.run_at,
              gone.rank, gone.priority, gone.max_attempts, gone.max_crashes, gone.timeout,
              gone.created_at, gone.started_at, gone.start_before, gone.unique_key,
              gone.unique_scope, gone.order_key, gone.trace, ended.error, aiserve.now_ns(),
              ended.result, CASE ended.state WHEN 4 THEN NULL ELSE body.input END
            FROM gone JOIN ended ON ended.id = gone.id LEFT JOIN body ON body.id = gone.id)sql";
constexpr const char* kDropUnique =
    R"sql(DELETE FROM aiserve.job_unique
          WHERE tenant = $1 AND kind = $2 AND key = $3 AND job = $4)sql";
constexpr const char* kReopen = R"sql(WITH back AS (
            DELETE FROM aiserve.job_done WHERE tenant = $1 AND id = $2 RETURNING *),
          body AS (
            INSERT INTO aiserve.job_input (tenant, id, input)
            SELECT tenant, id, coalesce(input, '') FROM back)
          INSERT INTO aiserve.job ()sql" AISERVE_JOB_COLUMNS("") R"sql()
            SELECT tenant, id, kind, $3, $4, 0, 0, $5, 0, attempt, worker, 0, $6, $7, priority,
              max_attempts, max_crashes, timeout, created_at, started_at, NULL, NULL, unique_scope,
              order_key, trace, error FROM back)sql";
constexpr const char* kUpdate = R"sql(UPDATE aiserve.job AS job SET
            state = v.state, blocked = v.blocked, discard_reason = v.discard_reason,
            cancel_requested = v.cancel_requested, excused = v.excused, crashes = v.crashes,
            run_at = v.run_at, rank = v.rank, error = v.error
          FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
                      $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
                      $11::bytea[])
            AS v (tenant, id, state, blocked, discard_reason, cancel_requested, excused, crashes,
                  run_at, rank, error)
          WHERE job.tenant = v.tenant AND job.id = v.id)sql";

template <class F>
auto column(const JobRows& rows, F value) {
  std::vector<std::invoke_result_t<F, const JobRow&>> values;
  values.reserve(rows.size());
  for (const JobRow& row : rows) values.push_back(value(row));
  return values;
}

template <class Member>
auto integers(const JobRows& rows, Member member) {
  return column(rows, [member](const JobRow& row) -> std::int64_t {
    return static_cast<std::int64_t>(std::invoke(member, row));
  });
}

template <class Member>
auto core(const JobRows& rows, Member member) {
  return column(rows, [member](const JobRow& row) -> std::int64_t {
    return static_cast<std::int64_t>(std::invoke(member, row.core));
  });
}

std::vector<std::string_view> texts(const JobRows& rows, std::string JobRow::*member) {
  return column(rows, [member](const JobRow& row) -> std::string_view { return row.*member; });
}

std::optional<std::string_view> view(const std::optional<std::string>& text) noexcept {
  if (!text) return std::nullopt;
  return *text;
}

std::optional<std::string> optional_string(const Rows& rows, int row, int at) {
  if (rows.null(row, at)) return std::nullopt;
  return rows.string(row, at);
}

/// Two columns.
decide::Fence read_fence(const Rows& rows, int row, int at) {
  return {.attempt = static_cast<std::uint32_t>(rows.integer(row, at)),
          .worker = static_cast<std::uint64_t>(rows.integer(row, at + 1))};
}

decide::JobCore read_core(const Rows& rows, int row) {
  decide::JobCore core;
  core.state = static_cast<decide::JobState>(rows.integer(row, 3));
  core.discard_reason = static_cast<decide::DiscardReason>(rows.integer(row, 5));
  core.cancel_requested = rows.integer(row, 6) != 0;
  core.excused = static_cast<std::uint32_t>(rows.integer(row, 7));
  core.crashes = static_cast<std::uint32_t>(rows.integer(row, 8));
  core.fence = read_fence(rows, row, 9);
  core.run_at = rows.integer(row, 12);
  return core;
}

/// The columns of new jobs that differ.
struct FreshColumns {
  explicit FreshColumns(std::size_t size) {
    for (auto* column : {&state, &blocked, &run_at, &rank, &priority, &max_attempts, &max_crashes,
                         &timeout, &unique_scope, &unique_until}) {
      column->reserve(size);
    }
    for (auto* column : {&kind, &trace, &input}) column->reserve(size);
    unique_key.reserve(size);
    order_key.reserve(size);
    start_before.reserve(size);
  }
  void add(const FreshJob& job) {
    const JobRow& row = job.row;
    kind.emplace_back(row.kind);
    state.push_back(static_cast<std::int64_t>(row.core.state));
    blocked.push_back(row.blocked);
    run_at.push_back(row.core.run_at);
    rank.push_back(row.rank);
    priority.push_back(row.priority);
    max_attempts.push_back(row.rules.max_attempts);
    max_crashes.push_back(row.rules.max_crashes);
    timeout.push_back(row.timeout_ms);
    start_before.push_back(row.start_before);
    unique_key.push_back(view(row.unique_key));
    unique_scope.push_back(static_cast<std::int64_t>(row.unique_scope));
    order_key.push_back(view(row.order_key));
    trace.emplace_back(row.trace);
    input.push_back(job.input.text());
    unique_until.push_back(job.unique_until);
  }

  std::vector<std::string_view> kind;
  std::vector<std::int64_t> state, blocked, run_at, rank, priority;
  std::vector<std::int64_t> max_attempts, max_crashes, timeout, unique_scope, unique_until;
  std::vector<std::optional<std::int64_t>> start_before;
  std::vector<std::optional<std::string_view>> unique_key, order_key;
  std::vector<std::string_view> trace, input;
};

}  // namespace

const char* const kFindOpen =
    AISERVE_SELECT_JOB R"sql( FROM aiserve.job AS job WHERE tenant = $1 AND id = $2)sql";
const char* const kLockOpen =
    AISERVE_SELECT_JOB R"sql( FROM aiserve.job AS job WHERE tenant = $1 AND id = $2 FOR UPDATE)sql";
const char* const kLockUnblocked = AISERVE_SELECT_JOB
    R"sql( FROM aiserve.job AS job WHERE tenant = $1 AND id = $2 AND blocked = 0 FOR UPDATE)sql";
const char* const kLockBlocked = AISERVE_SELECT_JOB
    R"sql( FROM aiserve.job AS job WHERE tenant = $1 AND id = $2 AND blocked > 0 FOR UPDATE)sql";
const char* const kFindDone = AISERVE_SELECT_JOB
    R"sql(, finished_at, result FROM aiserve.job_done AS job WHERE tenant = $1 AND id = $2)sql";
// By the index of the inputs, which are there as long as their job is open.
const char* const kListOpen = AISERVE_SELECT_JOB R"sql( FROM aiserve.job_input AS mine
          CROSS JOIN LATERAL (SELECT * FROM aiserve.job
            WHERE job.id = mine.id AND job.tenant = $1 OFFSET 0) AS job
          WHERE mine.tenant = $1 AND mine.id < $2 ORDER BY mine.id DESC LIMIT $3)sql";
// Said of the pair, so that no other index has this order: the planner would walk from the latest
// job down through all that are in another state.
const char* const kListOpenIn = AISERVE_SELECT_JOB R"sql( FROM aiserve.job AS job
          WHERE tenant = $1 AND (state, id) < ($3, $2) AND state >= $3 AND priority >= 0
          ORDER BY state DESC, id DESC LIMIT $4)sql";
const char* const kListDone = AISERVE_SELECT_JOB R"sql(, finished_at FROM aiserve.job_done AS job
          WHERE tenant = $1 AND id < $2 AND ($3 < 0 OR state = $3) ORDER BY id DESC LIMIT $4)sql";
const char* const kListDead = AISERVE_SELECT_JOB R"sql(, finished_at FROM aiserve.job_done AS job
          WHERE tenant = $1 AND id < $2 AND $3::bigint IS NOT NULL AND state = 6
          ORDER BY id DESC LIMIT $4)sql";
const char* const kInputs = R"sql(SELECT of.id, body.input FROM unnest($2::bigint[]) AS of (id)
          CROSS JOIN LATERAL (SELECT input FROM aiserve.job_input
            WHERE tenant = $1 AND id = of.id OFFSET 0) AS body)sql";
const char* const kFindInput =
    R"sql(SELECT input FROM aiserve.job_input WHERE tenant = $1 AND id = $2
          UNION ALL
          SELECT input FROM aiserve.job_done
          WHERE tenant = $1 AND id = $2 AND input IS NOT NULL)sql";
const char* const kLockJobs = AISERVE_SELECT_JOB R"sql( FROM aiserve.job AS job
          JOIN unnest($1::bytea[], $2::bigint[]) AS v (tenant, id)
            ON job.tenant = v.tenant AND job.id = v.id
          ORDER BY job.id FOR UPDATE OF job)sql";
// Agrees with decide::step(claim): a running job, the next attempt, its worker.
const char* const kClaim = R"sql(WITH quota AS MATERIALIZED (
            SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[])
              AS asked (tenant, kind, n, low)
            WHERE NOT EXISTS (
              SELECT FROM aiserve.job_pause AS held WHERE held.kind IN (asked.kind, ''))),
          picked AS MATERIALIZED (
            SELECT next.tenant, next.id FROM quota
            CROSS JOIN LATERAL (
              SELECT tenant, id FROM aiserve.job
              WHERE kind = quota.kind AND tenant = quota.tenant AND state = 1 AND rank >= quota.low
              ORDER BY rank, id LIMIT quota.n FOR UPDATE SKIP LOCKED) AS next)
          UPDATE aiserve.job AS job SET
            state = CASE WHEN start_before <= aiserve.now_ns() THEN 1 ELSE 2 END,
            attempt = attempt + CASE WHEN start_before <= aiserve.now_ns() THEN 0 ELSE 1 END,
            worker = $5, run_until = aiserve.now_ns() + timeout * 1000000,
            started_at = aiserve.now_ns()
          FROM picked WHERE job.tenant = picked.tenant AND job.id = picked.id
          RETURNING )sql" AISERVE_JOB_COLUMNS("job.");
const char* const kPauses = R"sql(SELECT kind FROM aiserve.job_pause)sql";
const char* const kOldest =
    R"sql(SELECT queue.number, first.run_at, first.rank
          FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) WITH ORDINALITY
            AS queue (tenant, kind, low, number)
          CROSS JOIN LATERAL (
            SELECT run_at, rank FROM aiserve.job
            WHERE kind = queue.kind AND tenant = queue.tenant AND state = 1 AND rank >= queue.low
            ORDER BY rank, id LIMIT 1) AS first)sql";
const char* const kDue = AISERVE_SELECT_JOB R"sql( FROM aiserve.job AS job
          WHERE state IN (0, 3) AND blocked = 0 AND run_at <= aiserve.now_ns()
          ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED)sql";
const char* const kLost = AISERVE_SELECT_JOB R"sql( FROM aiserve.job AS job
          WHERE state = 2 AND (run_until <= aiserve.now_ns() OR NOT EXISTS (
            SELECT FROM aiserve.job_worker WHERE job_worker.worker = job.worker
              AND lease_until > aiserve.now_ns()))
          LIMIT $1 FOR UPDATE OF job SKIP LOCKED)sql";
const char* const kLines =
    "SELECT of.tenant, of.kind, of.order_key, turns.n, first.blocked" AISERVE_LINES;
// See decide::room().
const char* const kNextInLine = AISERVE_SELECT_JOB AISERVE_LINES
    "CROSS JOIN LATERAL (" AISERVE_LINE "LIMIT greatest(first.blocked - turns.n, 0)) AS job";

#undef AISERVE_LINE
#undef AISERVE_LINES
#undef AISERVE_SELECT_JOB
#undef AISERVE_JOB_COLUMNS

JobRow read_job(const Rows& rows, int row) {
  JobRow job;
  job.tenant = TenantId(rows.text(row, 0));
  job.id = rows.integer(row, 1);
  job.kind = rows.string(row, 2);
  job.core = read_core(rows, row);
  job.blocked = static_cast<int>(rows.integer(row, 4));
  job.run_until = rows.integer(row, 11);
  job.rank = rows.integer(row, 13);
  job.priority = static_cast<int>(rows.integer(row, 14));
  job.rules = {.max_attempts = static_cast<std::uint32_t>(rows.integer(row, 15)),
               .max_crashes = static_cast<std::uint32_t>(rows.integer(row, 16))};
  job.timeout_ms = rows.integer(row, 17);
  job.created_at = rows.integer(row, 18);
  job.started_at = rows.optional_integer(row, 19);
  job.start_before = rows.optional_integer(row, 20);
  job.unique_key = optional_string(rows, row, 21);
  job.unique_scope = static_cast<JobUniqueScope>(rows.integer(row, 22));
  job.order_key = optional_string(rows, row, 23);
  job.trace = rows.string(row, 24);
  job.error = rows.string(row, 25);
  return job;
}

JobRows read_jobs(const Rows& rows) {
  JobRows jobs;
  jobs.reserve(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) jobs.push_back(read_job(rows, i));
  return jobs;
}

JobRow read_finished(const TenantId& tenant, const Rows& rows, int row) {
  JobRow job;
  job.tenant = tenant;
  job.id = rows.integer(row, 0);
  job.kind = rows.string(row, 1);
  job.unique_key = optional_string(rows, row, 2);
  job.unique_scope = static_cast<JobUniqueScope>(rows.integer(row, 3));
  job.order_key = optional_string(rows, row, 4);
  job.core.fence = read_fence(rows, row, 5);
  job.core.state = decide::JobState::completed;
  return job;
}

std::size_t add_insert(Transaction& transaction, const TenantId& tenant,
                       std::span<const FreshJob> jobs) {
  FreshColumns all(jobs.size());
  for (const FreshJob& job : jobs) all.add(job);
  return transaction.add(kInsert, tenant, all.kind, all.state, all.blocked, all.run_at, all.rank,
                         all.priority, all.max_attempts, all.max_crashes, all.timeout,
                         all.start_before, all.unique_key, all.unique_scope, all.order_key,
                         all.trace, all.input, all.unique_until);
}

std::size_t add_finish(Transaction& transaction, const TenantId& tenant,
                       std::span<const Settlement* const> settlements) {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> attempts;
  std::vector<std::int64_t> workers;
  std::vector<std::string_view> results;
  ids.reserve(settlements.size());
  attempts.reserve(settlements.size());
  workers.reserve(settlements.size());
  results.reserve(settlements.size());
  for (const Settlement* one : settlements) {
    ids.push_back(one->id.value());
    attempts.push_back(one->attempt);
    workers.push_back(static_cast<std::int64_t>(one->worker.value()));
    results.push_back(one->result.text());
  }
  return transaction.add(kFinish, tenant, ids, attempts, workers, results);
}

// A statement each: joined with a list, the planner would rather read all that a tenant has.
void add_close(Transaction& transaction, const TenantId& tenant, const JobRows& rows) {
  for (const JobRow& row : rows) {
    std::vector<std::string_view> result;
    if (row.result) result.push_back(row.result->text());
    const decide::JobCore& core = row.core;
    transaction.add(kClose, tenant, row.id, static_cast<int>(core.state),
                    static_cast<int>(core.discard_reason), static_cast<int>(core.excused),
                    static_cast<int>(core.crashes), row.error, result);
  }
}

void add_drop_unique(Transaction& transaction, const TenantId& tenant, const JobRows& rows) {
  for (const JobRow& row : rows) {
    if (!row.unique_key || row.unique_scope != JobUniqueScope::unfinished) continue;
    transaction.add(kDropUnique, tenant, row.kind, *row.unique_key, row.id);
  }
}

std::size_t add_reopen(Transaction& transaction, const JobRow& row) {
  return transaction.add(kReopen, row.tenant, row.id, static_cast<int>(row.core.state), row.blocked,
                         static_cast<int>(row.core.excused), row.core.run_at, row.rank);
}

void add_update(Transaction& transaction, const JobRows& rows) {
  if (rows.empty()) return;
  const auto tenants = column(rows, [](const JobRow& row) { return row.tenant.view(); });
  transaction.add(
      kUpdate, tenants, integers(rows, &JobRow::id), core(rows, &decide::JobCore::state),
      integers(rows, &JobRow::blocked), core(rows, &decide::JobCore::discard_reason),
      core(rows, &decide::JobCore::cancel_requested), core(rows, &decide::JobCore::excused),
      core(rows, &decide::JobCore::crashes), core(rows, &decide::JobCore::run_at),
      integers(rows, &JobRow::rank), texts(rows, &JobRow::error));
}

}  // namespace aiserve::inline v0::pg
