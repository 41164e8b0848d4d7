#include "sqlite/migration.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr int kApplication = 0x61697376;  // "aisv"

constexpr const char* kBegin = R"sql(BEGIN IMMEDIATE)sql";
constexpr const char* kCommit = R"sql(COMMIT)sql";
constexpr const char* kHasHistory =
    R"sql(SELECT 1 FROM sqlite_schema WHERE name = 'migration_history' /* schema */)sql";
constexpr const char* kHistory =
    R"sql(SELECT version, name, sha256, works_since FROM migration_history
          ORDER BY version /* schema */)sql";
constexpr const char* kRecord =
    R"sql(INSERT INTO migration_history (version, name, sha256, works_since, applied_at)
          VALUES (?1, ?2, ?3, ?4, ?5) /* schema */)sql";
constexpr const char* kCreateHistory =
    R"sql(CREATE TABLE IF NOT EXISTS migration_history (
            version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL,
            works_since INTEGER NOT NULL, applied_at INTEGER NOT NULL))sql";

[[noreturn]] void refuse(const std::string& why) {
  throw ConfigError("sqlite database: schema: " + why);
}

void check_application(SQLite::Database& database) {
  const int application = database.execAndGet("PRAGMA application_id").getInt();
  const int tables = database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt();
  if (application == kApplication || (application == 0 && tables == 0)) return;
  refuse("the file belongs to another application");
}

}  // namespace

std::vector<const Migration*> pending(Connection& connection, std::span<const Migration> steps) {
  check_application(connection.database());
  std::vector<AppliedMigration> applied;
  if (Query(connection, kHasHistory).row()) {
    Query row(connection, kHistory);
    while (row.row()) {
      applied.push_back({row.integer(0), row.string(1), row.string(2), row.integer(3)});
    }
  }
  return pending_after(applied, steps, "sqlite database");
}

std::size_t migrate(Connection& connection, std::span<const Migration> steps, std::int64_t now_ms) {
  if (pending(connection, steps).empty()) return 0;
  Query(connection, kBegin).run();
  try {
    // Another process may have done it while we waited for the lock.
    const std::vector<const Migration*> missing = pending(connection, steps);
    if (!missing.empty()) connection.database().exec(kCreateHistory);
    for (const Migration* step : missing) {
      connection.database().exec(std::string(step->sql));
      const std::string hash = digest(*step);
      Query(connection, kRecord, step->version, step->name, hash, step->works_since, now_ms).run();
    }
    connection.database().exec("PRAGMA application_id = " + std::to_string(kApplication));
    Query(connection, kCommit).run();
    return missing.size();
  } catch (...) {
    connection.rollback();
    throw;
  }
}

}  // namespace aiserve::inline v0::detail
