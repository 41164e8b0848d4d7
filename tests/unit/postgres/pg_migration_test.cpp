#include "postgres/pg_migration.hpp"

#include <array>

#include <poll.h>

#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using detail::Migration;
using testing::PostgresBench;
using testing::PostgresServer;
using testing::server_or_skip;
using namespace std::chrono_literals;

namespace {

constexpr Migration kFirst{1, "first", "CREATE TABLE aiserve.one (a INTEGER)", 1};
constexpr Migration kSecond{
    2, "second", "CREATE TABLE aiserve.two (a INTEGER); INSERT INTO aiserve.two VALUES (1)", 1};
constexpr Migration kThird{3, "third", "DROP TABLE aiserve.one", 3};
constexpr std::array kTwo{kFirst, kSecond};
constexpr std::array kThree{kFirst, kSecond, kThird};

struct Database {
  explicit Database(PostgresServer& its_server)
      : server(its_server), name(server.new_database()), connection({.dsn = server.dsn(name)}) {}
  std::size_t run(std::span<const Migration> steps) {
    connection.open();
    return pg::migrate(connection, steps);
  }
  std::string value(const std::string& sql) { return server.run(name, sql); }
  std::string refusal(std::span<const Migration> steps) {
    try {
      run(steps);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "none";
  }
  PostgresServer& server;
  std::string name;
  pg::Connection connection;
};

}  // namespace

TEST_CASE("migrations run once, in order, with a row of history each") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Database database(*server);
  CHECK(database.run(std::span(kTwo).first(1)) == 1);
  CHECK(database.run(kTwo) == 1);
  CHECK(database.run(kTwo) == 0);
  CHECK(database.value("SELECT count(*) FROM aiserve.two") == "1");
  CHECK(database.value(
            "SELECT count(*) FROM aiserve.migration_history WHERE length(sha256) = 64") == "2");
  CHECK(pg::pending(database.connection, kThree).size() == 1);
}

TEST_CASE("a migration that was edited, is missing or is newer is refused, and nothing changes") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Database database(*server);
  REQUIRE(database.run(kTwo) == 2);
  Migration edited = kSecond;
  edited.sql = "CREATE TABLE aiserve.two (b INTEGER)";
  CHECK(database.refusal(std::array{kFirst, edited}).find("(second) was changed") !=
        std::string::npos);
  CHECK(database.refusal(std::array{kSecond}).find("unknown") != std::string::npos);
  CHECK_MESSAGE(database.run(std::span(kTwo).first(1)) == 0, "the second works since version 1");
  REQUIRE(database.run(kThree) == 1);
  CHECK(database.refusal(kTwo).find("(third) is newer than this program") != std::string::npos);
  database.value("DELETE FROM aiserve.migration_history WHERE version = 2");
  CHECK(database.refusal(kThree).find("version 2 is missing") != std::string::npos);
}

TEST_CASE("a migration that fails leaves the database as it was") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Database database(*server);
  constexpr Migration kBad{2, "bad",
                           "CREATE TABLE aiserve.x (a int); CREATE TABLE aiserve.x (a int)", 1};
  CHECK_THROWS_AS(database.run(std::array{kFirst, kBad}), pg::PgError);
  CHECK(database.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'aiserve'") == "0");
  CHECK(database.run(kTwo) == 2);
}

TEST_CASE("what is pending can be asked for without changing anything") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  const std::string dsn = server->dsn(name);
  CHECK(PostgresDatabase::pending_migrations(dsn).size() == pg::migrations().size());
  CHECK(server->run(name, "SELECT count(*) FROM pg_namespace WHERE nspname = 'aiserve'") == "0");
  PostgresDatabaseOptions careful{.dsn = dsn, .migrate = false};
  CHECK_THROWS_AS(PostgresBench{careful}, ConfigError);
  { const PostgresBench bench(dsn); }
  CHECK(PostgresDatabase::pending_migrations(dsn).empty());
  CHECK_NOTHROW(PostgresBench{careful});
}

TEST_CASE(
    "a login that may not create roles says where to read on, and one that was given them runs") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  server->run("postgres", "CREATE ROLE plain LOGIN");
  server->run("postgres", "GRANT CREATE ON DATABASE " + name + " TO plain");
  const std::string roles = "aiserve_tenant, aiserve_dispatcher, aiserve_relay";
  server->run("postgres", "REVOKE " + roles + " FROM plain");
  const std::string dsn = server->dsn(name, "user=plain");
  const auto refusal = [&]() -> std::string {
    try {
      const PostgresBench bench(dsn);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "none";
  };
  CHECK(refusal().find("see docs/storage.md") != std::string::npos);
  { const PostgresBench other(server->dsn(server->new_database())); }
  server->run("postgres", "GRANT " + roles + " TO plain");
  PostgresBench bench(dsn);
  CHECK(bench.put("key").ok());
  CHECK_MESSAGE(PostgresServer::run_at(dsn, "SELECT count(*) FROM aiserve.key_value") == "0",
                "the owner of the tables sees none of it without a tenant");
}

TEST_CASE("ten processes that start at once migrate once, and all of them run") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  const std::string dsn = server->dsn(name);
  std::array<int, 2> gate{};
  REQUIRE(::pipe(gate.data()) == 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 10; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(gate[1]);
      char go = 0;
      (void)!::read(gate[0], &go, 1);
      try {
        PostgresBench bench(dsn);
        ::_exit(bench.put("child " + std::to_string(i)).ok() ? 0 : 1);
      } catch (const std::exception& error) {
        static_cast<void>(std::fprintf(stderr, "child: %s\n", error.what()));
        ::_exit(2);
      }
    }
    children.push_back(child);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  PostgresBench bench(dsn);
  for (int i = 0; i < 10; ++i) CHECK(bench.has("child " + std::to_string(i)).value());
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.migration_history") ==
        std::to_string(pg::migrations().size()));
}

TEST_CASE("a server does not go on with a migration whose client has left") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Database database(*server);
  constexpr Migration kEndless{1, "endless", "SELECT pg_sleep(3000)", 1};
  database.connection.open();
  CHECK_THROWS_AS(pg::migrate(database.connection, std::array{kEndless}, 500ms), pg::PgError);
  const std::string active =
      "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
      " AND datname = current_database() AND state = 'active'";
  while (database.value(active) != "0") ::poll(nullptr, 0, 5);
  // Nobody else waits for its lock.
  CHECK(database.run(kTwo) == 2);
}
