#include "aiserve/postgres/postgres_database.hpp"

#include "postgres/pg_migration.hpp"
#include "postgres/postgres_core.hpp"

namespace aiserve::inline v0 {

namespace {

using namespace std::chrono_literals;

[[noreturn]] void refuse(const std::string& what) {
  throw ConfigError("postgres database: " + what);
}

PostgresDatabaseOptions checked(PostgresDatabaseOptions options) {
  const auto in = [](auto value, auto low, auto high) { return value >= low && value <= high; };
  if (options.dsn.empty()) refuse("dsn is not set");
  if (auto problem = pg::dsn_problem(options.dsn)) refuse("dsn " + *problem);
  if (!in(options.connections, 1, 256)) refuse("connections must be 1 to 256");
  if (!in(options.max_queue, 1U, 1'000'000U)) refuse("max_queue must be 1 to 1000000");
  if (!in(options.timeout, 1ms, 1h)) refuse("timeout must be 1 ms to 1 h");
  if (!in(options.connect_timeout, 1s, 60s)) refuse("connect_timeout must be 1 to 60 s");
  if (!in(options.max_attempts, 1, 100)) refuse("max_attempts must be 1 to 100");
  return options;
}

std::string one_line(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

/// `fn` on a connection of its own, without prepared statements.
template <class F>
auto connected(const pg::Connection::Options& options, F fn) try {
  pg::Connection connection(options);
  connection.open();
  return fn(connection);
} catch (const pg::PgError& error) {
  const bool forbidden = error.sqlstate() == "42501";
  refuse(one_line(error.what()) + (forbidden ? ": see docs/storage.md on roles" : ""));
}

}  // namespace

PostgresDatabase::PostgresDatabase(Runtime& runtime, PostgresDatabaseOptions options)
    : core_(std::make_shared<pg::PostgresCore>(runtime, checked(std::move(options)))) {
  const bool may_migrate = core_->options().migrate;
  connected(core_->connection_options(), [may_migrate](pg::Connection& connection) {
    if (may_migrate) {
      pg::migrate(connection, pg::migrations());
    } else if (!pg::pending(connection, pg::migrations()).empty()) {
      refuse("schema: migrations are pending");
    }
  });
  core_->attach();
}

PostgresDatabase::~PostgresDatabase() { core_->detach(); }

std::vector<std::string> PostgresDatabase::pending_migrations(const std::string& dsn) {
  if (auto problem = pg::dsn_problem(dsn)) refuse("dsn " + *problem);
  return connected({.dsn = dsn, .prepared = false}, [](pg::Connection& connection) {
    std::vector<std::string> names;
    for (const auto* step : pg::pending(connection, pg::migrations())) {
      names.emplace_back(step->name);
    }
    return names;
  });
}

PostgresStats PostgresDatabase::stats() const noexcept { return core_->stats(); }

}  // namespace aiserve::inline v0
