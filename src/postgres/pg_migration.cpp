#include "postgres/pg_migration.hpp"

namespace aiserve::inline v0::pg {
namespace {

using detail::AppliedMigration;
using detail::Migration;

// Of whoever only looks.
constexpr std::chrono::seconds kPatience{120};

// Read from the catalogue itself: what to_regclass() remembers may be older than the lock.
constexpr const char* kHasHistory =
    R"sql(SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'migration_history'
            AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'aiserve')))sql";
constexpr const char* kHistory =
    R"sql(SELECT version, name, sha256, works_since FROM aiserve.migration_history
          ORDER BY version)sql";
constexpr const char* kRecord =
    R"sql(INSERT INTO aiserve.migration_history (version, name, sha256, works_since)
          VALUES ($1, $2, $3, $4))sql";
// The lock is the transaction's, so that a pooler may sit in between. Whoever waits for it waits
// as long as the one that migrates may take; a step that waits for a table that somebody else holds
// doesn't, it would hold up everybody. Nor does the server go on, locks held, for a client that has
// left (it can notice since version 14).
constexpr const char* kBegin = R"sql(
BEGIN;
SET LOCAL statement_timeout = '59min';
SET LOCAL lock_timeout = '59min';
DO $notice$ BEGIN
  PERFORM set_config('client_connection_check_interval', '1s', true);
EXCEPTION WHEN OTHERS THEN NULL;
END $notice$;
SELECT pg_advisory_xact_lock(7019850287212458358);
SET LOCAL lock_timeout = '5s';
)sql";
constexpr const char* kCreateHistory = R"sql(
CREATE SCHEMA IF NOT EXISTS aiserve;
CREATE TABLE IF NOT EXISTS aiserve.migration_history (
  version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,
  works_since integer NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
)sql";
// Roles belong to the cluster, not to the database: another one may create it at this moment.
constexpr const char* kRole = R"sql(
DO $role$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['aiserve_tenant', 'aiserve_dispatcher', 'aiserve_relay'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END;
    END IF;
    IF NOT pg_has_role(current_user, name, 'MEMBER') THEN
      EXECUTE format('GRANT %I TO CURRENT_USER', name);
    END IF;
  END LOOP;
END $role$;
)sql";

Until soon() { return std::chrono::steady_clock::now() + kPatience; }

template <class... Args>
Rows query(Connection& connection, const char* sql, const Args&... args) {
  const Statement statement{sql, Params(args...)};
  return std::move(connection.run(std::span(&statement, 1), soon()).front());
}

void apply(Connection& connection, const Migration& step, Until until) {
  connection.script(std::string(step.sql), until);
  const std::string hash = detail::digest(step);
  query(connection, kRecord, step.version, Text{step.name}, Text{hash}, step.works_since);
}

}  // namespace

std::vector<const Migration*> pending(Connection& connection, std::span<const Migration> steps) {
  std::vector<AppliedMigration> applied;
  if (query(connection, kHasHistory).integer(0, 0) != 0) {
    const Rows rows = query(connection, kHistory);
    applied.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) {
      applied.push_back(
          {rows.integer(i, 0), rows.string(i, 1), rows.string(i, 2), rows.integer(i, 3)});
    }
  }
  return detail::pending_after(applied, steps, "postgres database");
}

std::size_t migrate(Connection& connection, std::span<const Migration> steps,
                    std::chrono::milliseconds patience) {
  if (pending(connection, steps).empty()) return 0;
  const Until until = std::chrono::steady_clock::now() + patience;
  try {
    connection.script(kBegin, until);
    // Another process may have done it while we waited for the lock.
    const std::vector<const Migration*> missing = pending(connection, steps);
    if (!missing.empty()) connection.script(kCreateHistory, until);
    if (!missing.empty()) connection.script(kRole, until);
    for (const Migration* step : missing) apply(connection, *step, until);
    connection.script("COMMIT", until);
    return missing.size();
  } catch (...) {
    connection.close();
    throw;
  }
}

}  // namespace aiserve::inline v0::pg
