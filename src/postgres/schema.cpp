// The schema, step by step. A step that was released is never edited: its SHA-256 lies in
// databases.
#include <array>

#include "postgres/pg_migration.hpp"

namespace aiserve::inline v0::pg {
namespace {

using detail::Migration;

// Times are nanoseconds since 1970. Names and keys are bytea, because text holds neither NUL nor
// what is not UTF-8. A setting that no transaction made is empty, not absent, once the session had
// it: hence the 'x' before the digits, without which nobody would be the anonymous tenant.
constexpr std::string_view kStores = R"schema(
CREATE FUNCTION aiserve.now_ns() RETURNS bigint LANGUAGE sql STABLE AS $f$
  SELECT coalesce(nullif(current_setting('aiserve.now', true), '')::bigint,
                  (extract(epoch FROM now()) * 1000000000)::bigint) $f$;
CREATE FUNCTION aiserve.current_tenant() RETURNS bytea LANGUAGE sql STABLE AS $f$
  SELECT decode(substr(nullif(current_setting('aiserve.tenant', true), ''), 2), 'hex') $f$;
GRANT USAGE ON SCHEMA aiserve TO aiserve_tenant;

CREATE SEQUENCE aiserve.key_value_version;
CREATE TABLE aiserve.key_value (
  tenant bytea NOT NULL,
  name bytea NOT NULL,
  version bigint NOT NULL,
  expires_at bigint,
  value bytea NOT NULL,
  PRIMARY KEY (tenant, name)
);
CREATE INDEX key_value_expires ON aiserve.key_value (tenant, expires_at)
  WHERE expires_at IS NOT NULL;

CREATE SEQUENCE aiserve.idempotent_fence;
CREATE TABLE aiserve.idempotent_run (
  tenant bytea NOT NULL,
  name bytea NOT NULL,
  fence bigint NOT NULL,
  finished integer NOT NULL,
  lease_until bigint NOT NULL,
  expires_at bigint NOT NULL,
  fingerprint bytea NOT NULL,
  answer bytea NOT NULL,
  PRIMARY KEY (tenant, name)
);
CREATE INDEX idempotent_run_expires ON aiserve.idempotent_run (tenant, expires_at);

CREATE TABLE aiserve.audit (
  tenant bytea NOT NULL,
  sequence bigint NOT NULL,
  at bigint NOT NULL,
  actor bytea NOT NULL,
  action bytea NOT NULL,
  object bytea NOT NULL,
  detail bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (tenant, sequence)
);

GRANT USAGE ON SEQUENCE aiserve.key_value_version, aiserve.idempotent_fence TO aiserve_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON aiserve.key_value, aiserve.idempotent_run
  TO aiserve_tenant;
GRANT SELECT, INSERT ON aiserve.audit TO aiserve_tenant;
DO $isolate$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['key_value', 'idempotent_run', 'audit'] LOOP
    EXECUTE format('ALTER TABLE aiserve.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE aiserve.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON aiserve.%I TO aiserve_tenant
                    USING (tenant = aiserve.current_tenant())', name);
  END LOOP;
END $isolate$;
)schema";

// Waiting and running jobs: narrow, changed often; inputs, and finished jobs with their results,
// apart. The dispatcher works across tenants: it sees what waits and runs, and of the rest only
// what it needs to delete what is old. The relay sees events.
constexpr std::string_view kJobs = R"schema(
GRANT USAGE ON SCHEMA aiserve TO aiserve_dispatcher, aiserve_relay;

CREATE SEQUENCE aiserve.job_id;
CREATE TABLE aiserve.job (
  tenant bytea NOT NULL,
  id bigint NOT NULL,
  kind bytea NOT NULL,
  state smallint NOT NULL,
  blocked smallint NOT NULL,
  discard_reason smallint NOT NULL,
  cancel_requested smallint NOT NULL,
  excused integer NOT NULL,
  crashes integer NOT NULL,
  attempt integer NOT NULL,
  worker bigint NOT NULL,
  run_until bigint NOT NULL,
  run_at bigint NOT NULL,
  rank bigint NOT NULL,
  priority smallint NOT NULL,
  max_attempts integer NOT NULL,
  max_crashes integer NOT NULL,
  timeout bigint NOT NULL,
  created_at bigint NOT NULL,
  started_at bigint,
  start_before bigint,
  unique_key bytea,
  unique_scope smallint NOT NULL,
  order_key bytea,
  trace bytea NOT NULL,
  error bytea NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
CREATE INDEX job_ready ON aiserve.job (kind, tenant, rank, id) WHERE state = 1;
CREATE INDEX job_due ON aiserve.job (run_at) WHERE state IN (0, 3) AND blocked = 0;
CREATE INDEX job_running ON aiserve.job (worker) WHERE state = 2;
CREATE INDEX job_order ON aiserve.job (tenant, kind, order_key, id) WHERE order_key IS NOT NULL;

-- Written once; goes when its job is finished.
CREATE TABLE aiserve.job_input (
  tenant bytea NOT NULL,
  id bigint NOT NULL,
  input bytea NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

-- Finished jobs, columns as above. Those that can be redriven keep their input.
CREATE TABLE aiserve.job_done (
  LIKE aiserve.job,
  finished_at bigint NOT NULL,
  result bytea,
  input bytea,
  PRIMARY KEY (tenant, id, finished_at)
) PARTITION BY RANGE (finished_at);
CREATE INDEX job_done_at ON aiserve.job_done (finished_at);
CREATE INDEX job_dead ON aiserve.job_done (tenant, id) WHERE state = 6;
CREATE TABLE aiserve.job_done_rest PARTITION OF aiserve.job_done DEFAULT;

CREATE TABLE aiserve.job_unique (
  tenant bytea NOT NULL,
  kind bytea NOT NULL,
  key bytea NOT NULL,
  job bigint NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (tenant, kind, key)
);
CREATE INDEX job_unique_expires ON aiserve.job_unique (expires_at);

-- Kept in the transactions that change jobs, so that nobody ever counts them. Connections have
-- slots, so that they don't wait for each other: what counts is the sum.
CREATE TABLE aiserve.job_count (
  kind bytea NOT NULL,
  tenant bytea NOT NULL,
  slot integer NOT NULL,
  waiting bigint NOT NULL,
  ready bigint NOT NULL,
  running bigint NOT NULL,
  changed_at bigint NOT NULL,
  PRIMARY KEY (kind, tenant, slot)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE aiserve.job_worker (
  worker bigint PRIMARY KEY,
  lease_until bigint NOT NULL,
  seen_at bigint NOT NULL
) WITH (fillfactor = 50);

-- A transaction that began earlier may commit later. So events get their place in line when they
-- are first seen, not when they are written.
CREATE SEQUENCE aiserve.job_event_position;
CREATE TABLE aiserve.job_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant bytea NOT NULL,
  topic bytea NOT NULL,
  payload bytea NOT NULL,
  position bigint
);
CREATE INDEX job_event_new ON aiserve.job_event (id) WHERE position IS NULL;
CREATE INDEX job_event_line ON aiserve.job_event (position) WHERE position IS NOT NULL;

GRANT USAGE ON SEQUENCE aiserve.job_id TO aiserve_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON aiserve.job, aiserve.job_input, aiserve.job_done,
  aiserve.job_unique TO aiserve_tenant;
GRANT INSERT ON aiserve.job_event TO aiserve_tenant;
GRANT SELECT, UPDATE ON aiserve.job TO aiserve_dispatcher;
GRANT SELECT, INSERT, UPDATE, DELETE ON aiserve.job_count, aiserve.job_worker
  TO aiserve_dispatcher;
GRANT SELECT (tenant, id, finished_at), DELETE ON aiserve.job_done TO aiserve_dispatcher;
GRANT SELECT, DELETE ON aiserve.job_unique TO aiserve_dispatcher;
GRANT USAGE ON SEQUENCE aiserve.job_event_position TO aiserve_relay;
GRANT SELECT, UPDATE (position), DELETE ON aiserve.job_event TO aiserve_relay;
DO $isolate$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['job', 'job_input', 'job_done', 'job_done_rest', 'job_unique',
                              'job_count', 'job_event'] LOOP
    EXECUTE format('ALTER TABLE aiserve.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE aiserve.%I FORCE ROW LEVEL SECURITY', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['job', 'job_input', 'job_done', 'job_unique', 'job_event'] LOOP
    EXECUTE format('CREATE POLICY tenant ON aiserve.%I TO aiserve_tenant
                    USING (tenant = aiserve.current_tenant())', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['job', 'job_done', 'job_unique', 'job_count'] LOOP
    EXECUTE format('CREATE POLICY dispatcher ON aiserve.%I TO aiserve_dispatcher USING (true)',
                   name);
  END LOOP;
  CREATE POLICY relay ON aiserve.job_event TO aiserve_relay USING (true);
END $isolate$;
)schema";

// With an index that begins with the tenant, the planner takes a table that is empty when it plans
// for one whose tenants have a row or two: it would read all of a tenant's jobs to find some by id.
constexpr std::string_view kJobsById = R"schema(
ALTER TABLE aiserve.job DROP CONSTRAINT job_pkey, ADD PRIMARY KEY (id);
)schema";

// A row for each kind that operators paused; the empty one stands for all.
constexpr std::string_view kOperations = R"schema(
CREATE TABLE aiserve.job_pause (kind bytea PRIMARY KEY);
GRANT SELECT, INSERT, DELETE ON aiserve.job_pause TO aiserve_dispatcher;
GRANT SELECT (state) ON aiserve.job_done TO aiserve_dispatcher;
)schema";

// Payloads that stand for objects (JobReader::kReferenceMark), to be found by an object's name.
// Inputs of finished jobs that can be redriven lie with them.
constexpr std::string_view kReferences = R"schema(
CREATE INDEX job_input_reference ON aiserve.job_input (tenant, input)
  WHERE substr(input, 1, 16) = '\x807d73953cbbc6486ff9c1b45bfe89a1' AND length(input) <= 512;
CREATE INDEX job_result_reference ON aiserve.job_done (tenant, result)
  WHERE substr(result, 1, 16) = '\x807d73953cbbc6486ff9c1b45bfe89a1' AND length(result) <= 512;
CREATE INDEX job_kept_reference ON aiserve.job_done (tenant, input)
  WHERE substr(input, 1, 16) = '\x807d73953cbbc6486ff9c1b45bfe89a1' AND length(input) <= 512;
)schema";

// The condition holds of every job. It is there so that only a statement that says it as well is
// planned with this index, which begins with the tenant: see "jobs by id".
constexpr std::string_view kJobsByState = R"schema(
CREATE INDEX job_listed ON aiserve.job (tenant, state, id) WHERE priority >= 0;
)schema";

// Finished jobs lie in a table for each day of UTC, which goes as a whole; what finds none lies in
// the default one. Both functions run as the owner of the tables, and take a lock that holds up
// everybody: so they give up soon. What is in the default table already stays together, or it would
// be read through each time a day is added.
constexpr std::string_view kHistoryByDay = R"schema(
CREATE VIEW aiserve.job_day AS
  SELECT day.relname AS name,
    coalesce(substring(pg_get_expr(day.relpartbound, day.oid) FROM 'FROM \(''?(-?[0-9]+)')::bigint,
             -9223372036854775807) AS since,
    substring(pg_get_expr(day.relpartbound, day.oid) FROM 'TO \(''?(-?[0-9]+)')::bigint AS until
  FROM pg_inherits JOIN pg_class AS day ON day.oid = inhrelid
  WHERE inhparent = 'aiserve.job_done'::regclass;
GRANT SELECT ON aiserve.job_day TO aiserve_dispatcher;

CREATE FUNCTION aiserve.make_job_days() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $f$
DECLARE
  length constant bigint := 86400000000000;
  first bigint;
  name text;
BEGIN
  FOR ahead IN 0..2 LOOP
    first := (aiserve.now_ns() / length + ahead) * length;
    CONTINUE WHEN EXISTS (SELECT FROM aiserve.job_day WHERE since <= first AND until > first);
    name := 'job_done_' || to_char(to_timestamp(first / 1000000000) AT TIME ZONE 'UTC', 'YYYYMMDD');
    BEGIN
      EXECUTE format('CREATE TABLE aiserve.%I (LIKE aiserve.job_done INCLUDING ALL)', name);
      EXECUTE format('ALTER TABLE aiserve.%I ENABLE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE aiserve.%I FORCE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE aiserve.job_done ATTACH PARTITION aiserve.%I
                      FOR VALUES FROM (%s) TO (%s)', name, first, first + length);
    EXCEPTION WHEN check_violation OR lock_not_available THEN NULL;
    END;
  END LOOP;
END $f$;

CREATE FUNCTION aiserve.drop_job_day(before bigint) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $f$
DECLARE oldest text;
BEGIN
  SELECT name INTO oldest FROM aiserve.job_day WHERE until <= before ORDER BY until LIMIT 1;
  IF oldest IS NULL THEN RETURN false; END IF;
  EXECUTE format('DROP TABLE aiserve.%I', oldest);
  RETURN true;
EXCEPTION WHEN lock_not_available THEN RETURN false;
END $f$;
REVOKE ALL ON FUNCTION aiserve.make_job_days(), aiserve.drop_job_day(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION aiserve.make_job_days(), aiserve.drop_job_day(bigint)
  TO aiserve_dispatcher;

DO $keep$
DECLARE latest bigint;
BEGIN
  ALTER TABLE aiserve.job_done_rest NO FORCE ROW LEVEL SECURITY;
  SELECT max(finished_at) INTO latest FROM aiserve.job_done_rest;
  ALTER TABLE aiserve.job_done_rest FORCE ROW LEVEL SECURITY;
  IF latest IS NULL THEN RETURN; END IF;
  ALTER TABLE aiserve.job_done DETACH PARTITION aiserve.job_done_rest;
  ALTER TABLE aiserve.job_done_rest RENAME TO job_done_before;
  EXECUTE format('ALTER TABLE aiserve.job_done ATTACH PARTITION aiserve.job_done_before
                  FOR VALUES FROM (MINVALUE) TO (%s)',
                 (latest / 86400000000000 + 1) * 86400000000000);
  CREATE TABLE aiserve.job_done_rest PARTITION OF aiserve.job_done DEFAULT;
  ALTER TABLE aiserve.job_done_rest ENABLE ROW LEVEL SECURITY;
  ALTER TABLE aiserve.job_done_rest FORCE ROW LEVEL SECURITY;
END $keep$;
SELECT aiserve.make_job_days();
)schema";

// As make_job_days(), which stays for older programs, with tables of several days: whoever asks for
// a finished job locks all of them, and the server has only so many locks. Where the length was
// changed, the first table is what the others leave of its time.
constexpr std::string_view kHistoryTables = R"schema(
CREATE FUNCTION aiserve.make_job_tables(days integer) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $f$
DECLARE
  length constant bigint := days * 86400000000000;
  first bigint;
  last bigint;
  name text;
BEGIN
  FOR ahead IN 0..2 LOOP
    first := (aiserve.now_ns() / length + ahead) * length;
    last := first + length;
    SELECT greatest(first, max(until)) INTO first FROM aiserve.job_day
    WHERE since < last AND until > first;
    CONTINUE WHEN first >= last;
    name := 'job_done_' || to_char(to_timestamp(first / 1000000000) AT TIME ZONE 'UTC', 'YYYYMMDD');
    BEGIN
      EXECUTE format('CREATE TABLE aiserve.%I (LIKE aiserve.job_done INCLUDING ALL)', name);
      EXECUTE format('ALTER TABLE aiserve.%I ENABLE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE aiserve.%I FORCE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE aiserve.job_done ATTACH PARTITION aiserve.%I
                      FOR VALUES FROM (%s) TO (%s)', name, first, last);
    EXCEPTION WHEN check_violation OR lock_not_available THEN NULL;
    END;
  END LOOP;
END $f$;
REVOKE ALL ON FUNCTION aiserve.make_job_tables(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION aiserve.make_job_tables(integer) TO aiserve_dispatcher;
)schema";

// Jobs that have their turn under an order key. They are counted each time that one of them ends,
// beside any number that wait. For who asks for them by their age, see "jobs by id".
constexpr std::string_view kTurns = R"schema(
CREATE INDEX job_in_turn ON aiserve.job (tenant, kind, order_key, created_at)
  WHERE order_key IS NOT NULL AND blocked = 0;
)schema";

// A table of the name may be there: made at this moment by a program that takes no lock for it, or
// kept by an operator who detached it. Its time goes to job_done_rest.
constexpr std::string_view kTakenNames = R"schema(
DO $again$
DECLARE made regprocedure;
BEGIN
  FOREACH made IN ARRAY ARRAY['aiserve.make_job_days()', 'aiserve.make_job_tables(integer)'] LOOP
    EXECUTE replace(pg_get_functiondef(made), 'OR lock_not_available',
                    'OR lock_not_available OR duplicate_table OR unique_violation');
  END LOOP;
END $again$;
)schema";

constexpr std::array<Migration, 10> kMigrations{{
    {1, "stores", kStores, 1},
    {2, "jobs", kJobs, 1},
    {3, "jobs by id", kJobsById, 1},
    {4, "operations", kOperations, 1},
    {5, "references", kReferences, 1},
    {6, "jobs by state", kJobsByState, 1},
    {7, "history by day", kHistoryByDay, 1},
    {8, "tables of several days", kHistoryTables, 1},
    {9, "turns", kTurns, 1},
    {10, "taken names", kTakenNames, 1},
}};

}  // namespace

std::span<const Migration> migrations() noexcept { return kMigrations; }

}  // namespace aiserve::inline v0::pg
