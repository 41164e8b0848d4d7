// The schema, step by step. A step that was released is never edited: its SHA-256 lies in files.
#include <array>

#include "sqlite/migration.hpp"

namespace aiserve::inline v0::detail {
namespace {

// Times are milliseconds: *_at of the wall clock, lease_* of the boot clock (see lease_clock.hpp).
constexpr std::string_view kStores = R"schema(
CREATE TABLE key_value (
  version INTEGER PRIMARY KEY AUTOINCREMENT,  -- so that none ever comes twice
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  expires_at INTEGER,
  value BLOB NOT NULL,
  UNIQUE (tenant, name)
);
CREATE INDEX key_value_expires ON key_value (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE idempotent_run (
  fence INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  finished INTEGER NOT NULL,
  lease_boot INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  fingerprint BLOB NOT NULL,
  answer BLOB NOT NULL,
  UNIQUE (tenant, name)
);
CREATE INDEX idempotent_run_expires ON idempotent_run (expires_at);

CREATE TABLE audit (
  tenant TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (tenant, sequence)
) WITHOUT ROWID;
)schema";

// Waiting and running jobs: narrow, changed often. Times of jobs are nanoseconds of the wall clock.
// `rank` orders what is ready: the time since when it waits, plus its priority's worth of ageing.
constexpr std::string_view kJobs = R"schema(
CREATE TABLE job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  state INTEGER NOT NULL,
  blocked INTEGER NOT NULL,
  discard_reason INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL,
  excused INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  worker INTEGER NOT NULL,
  run_until INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  max_crashes INTEGER NOT NULL,
  timeout INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  start_before INTEGER,
  unique_key TEXT,
  unique_scope INTEGER NOT NULL,
  order_key TEXT,
  trace TEXT NOT NULL,
  error TEXT NOT NULL
);
CREATE INDEX job_ready ON job (kind, tenant, rank, id) WHERE state = 1;
CREATE INDEX job_due ON job (run_at) WHERE state IN (0, 3) AND blocked = 0;
CREATE INDEX job_running ON job (worker) WHERE state = 2;
CREATE INDEX job_order ON job (tenant, kind, order_key, id) WHERE order_key IS NOT NULL;

-- Written once, deleted with the finished job. Its index lists the jobs of a tenant.
CREATE TABLE job_input (
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  input BLOB NOT NULL
);
CREATE INDEX job_of_tenant ON job_input (tenant, id);

-- Finished jobs, columns as above.
CREATE TABLE job_done (
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  state INTEGER NOT NULL,
  blocked INTEGER NOT NULL,
  discard_reason INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL,
  excused INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  worker INTEGER NOT NULL,
  run_until INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  max_crashes INTEGER NOT NULL,
  timeout INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  start_before INTEGER,
  unique_key TEXT,
  unique_scope INTEGER NOT NULL,
  order_key TEXT,
  trace TEXT NOT NULL,
  error TEXT NOT NULL,
  finished_at INTEGER NOT NULL,
  result BLOB
);
CREATE INDEX job_done_at ON job_done (finished_at);
CREATE INDEX job_dead ON job_done (tenant, id) WHERE state = 6;

CREATE TABLE job_unique (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  job INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, key)
) WITHOUT ROWID;
CREATE INDEX job_unique_expires ON job_unique (expires_at);

-- Kept in the transactions that change jobs, so that nobody ever counts them.
CREATE TABLE job_count (
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  waiting INTEGER NOT NULL,
  ready INTEGER NOT NULL,
  running INTEGER NOT NULL,
  PRIMARY KEY (kind, tenant)
) WITHOUT ROWID;

CREATE TABLE job_worker (
  worker INTEGER PRIMARY KEY,
  lease_boot INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
);

CREATE TABLE job_event (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  topic TEXT NOT NULL,
  payload BLOB NOT NULL
);
)schema";

// Kinds that operators have paused; '' stands for all.
constexpr std::string_view kPauses = R"schema(
CREATE TABLE job_pause (kind TEXT PRIMARY KEY) WITHOUT ROWID;
DELETE FROM job_count WHERE waiting = 0 AND ready = 0 AND running = 0;
)schema";

// Payloads that stand for objects (JobReader::kReferenceMark), to be found by an object's name.
constexpr std::string_view kReferences = R"schema(
CREATE INDEX job_input_reference ON job_input (tenant, input)
  WHERE substr(input, 1, 16) = x'807d73953cbbc6486ff9c1b45bfe89a1' AND length(input) <= 512;
CREATE INDEX job_result_reference ON job_done (tenant, result)
  WHERE substr(result, 1, 16) = x'807d73953cbbc6486ff9c1b45bfe89a1' AND length(result) <= 512;
)schema";

// Jobs that have their turn under an order key. They are counted each time that one of them ends,
// beside any number that wait.
constexpr std::string_view kTurns = R"schema(
CREATE INDEX job_in_turn ON job (tenant, kind, order_key)
  WHERE order_key IS NOT NULL AND blocked = 0;
)schema";

constexpr std::array<Migration, 5> kMigrations{{
    {1, "stores", kStores, 1},
    {2, "jobs", kJobs, 1},
    {3, "pauses", kPauses, 2},
    {4, "references", kReferences, 2},
    {5, "turns", kTurns, 2},
}};

}  // namespace

std::span<const Migration> migrations() noexcept { return kMigrations; }

}  // namespace aiserve::inline v0::detail
