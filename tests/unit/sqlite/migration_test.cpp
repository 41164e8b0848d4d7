#include "sqlite/migration.hpp"

#include <array>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/sqlite/stores_bench.hpp"

using namespace aiserve;
using detail::Connection;
using detail::Migration;
using testing::TemporaryFolder;

namespace {

constexpr Migration kFirst{1, "first", "CREATE TABLE one (a INTEGER)", 1};
constexpr Migration kSecond{2, "second", "CREATE TABLE two (a INTEGER); INSERT INTO two VALUES (1)",
                            1};
constexpr Migration kThird{3, "third", "DROP TABLE one", 3};
constexpr std::array kTwo{kFirst, kSecond};
constexpr std::array kThree{kFirst, kSecond, kThird};

struct File {
  explicit File(const TemporaryFolder& folder)
      : connection(folder.file("m.db"), {.busy_timeout_ms = 30'000}) {}
  std::size_t run(std::span<const Migration> steps) {
    return detail::migrate(connection, steps, 1'700'000'000'000);
  }
  int value(const char* sql) { return connection.database().execAndGet(sql).getInt(); }
  std::string refusal(std::span<const Migration> steps) {
    try {
      run(steps);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "none";
  }
  Connection connection;
};

}  // namespace

TEST_CASE("migrations run once, in order, with a row of history each") {
  const TemporaryFolder folder;
  File file(folder);
  CHECK(file.run(std::span(kTwo).first(1)) == 1);
  CHECK(file.run(kTwo) == 1);
  CHECK(file.run(kTwo) == 0);
  CHECK(file.value("SELECT count(*) FROM two") == 1);
  CHECK(file.value("SELECT count(*) FROM migration_history WHERE length(sha256) = 64") == 2);
  CHECK(detail::pending(file.connection, kThree).size() == 1);
}

TEST_CASE("a migration that was edited, is missing or is newer is refused, and nothing changes") {
  const TemporaryFolder folder;
  File file(folder);
  REQUIRE(file.run(kTwo) == 2);
  Migration edited = kSecond;
  edited.sql = "CREATE TABLE two (b INTEGER)";
  CHECK(file.refusal(std::array{kFirst, edited}).find("(second) was changed") != std::string::npos);
  Migration renamed = kFirst;
  renamed.name = "other";
  CHECK(file.refusal(std::array{renamed, kSecond}).find("(first) was changed") !=
        std::string::npos);
  CHECK(file.refusal(std::array{kSecond}).find("unknown") != std::string::npos);
  REQUIRE(file.run(kThree) == 1);
  CHECK(file.refusal(kTwo).find("(third) is newer than this program") != std::string::npos);
  file.connection.database().exec("DELETE FROM migration_history WHERE version = 2");
  CHECK(file.refusal(kThree).find("version 2 is missing") != std::string::npos);
}

TEST_CASE("an old program runs on a newer schema that says it may") {
  const TemporaryFolder folder;
  File file(folder);
  REQUIRE(file.run(kTwo) == 2);
  CHECK_MESSAGE(file.run(std::span(kTwo).first(1)) == 0, "the second works since version 1");
}

TEST_CASE("a migration that fails leaves the file as it was") {
  const TemporaryFolder folder;
  File file(folder);
  constexpr Migration kBad{2, "bad", "CREATE TABLE x (a); CREATE TABLE x (a)", 1};
  CHECK_THROWS_AS(file.run(std::array{kFirst, kBad}), SQLite::Exception);
  CHECK(file.value("SELECT count(*) FROM sqlite_schema") == 0);
  CHECK(file.run(kTwo) == 2);
}

TEST_CASE("a file of another application is refused and left alone") {
  const TemporaryFolder folder;
  File file(folder);
  file.connection.database().exec("CREATE TABLE theirs (a)");
  CHECK(file.refusal(kTwo).find("another application") != std::string::npos);
  CHECK(file.value("SELECT count(*) FROM sqlite_schema") == 1);
}

TEST_CASE("what is pending can be asked for without changing anything") {
  const TemporaryFolder folder;
  const std::string path = folder.file("stores.db");
  const std::vector<std::string> all{"stores", "jobs", "pauses", "references", "turns"};
  CHECK(SqliteDatabase::pending_migrations(path) == all);
  CHECK_FALSE(std::filesystem::exists(path));
  { const testing::StoresBench bench(folder); }
  CHECK(SqliteDatabase::pending_migrations(path).empty());
}

TEST_CASE("without leave to migrate a database that is not up to date is refused") {
  const TemporaryFolder folder;
  SqliteDatabaseOptions options{.path = folder.file("stores.db"), .migrate = false};
  CHECK_THROWS_AS(testing::StoresBench{options}, ConfigError);
  { const testing::StoresBench bench(folder); }
  CHECK_NOTHROW(testing::StoresBench{options});
}

TEST_CASE("ten processes that start at once migrate once, and all of them run") {
  const TemporaryFolder folder;
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
        testing::StoresBench bench(folder);
        ::_exit(bench.put("child " + std::to_string(i)).ok() ? 0 : 1);
      } catch (const std::exception&) {
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
  testing::StoresBench bench(folder);
  for (int i = 0; i < 10; ++i) CHECK(bench.has("child " + std::to_string(i)).value());
  SQLite::Database file(folder.file("stores.db"));
  CHECK(file.execAndGet("SELECT count(*) FROM migration_history").getInt() ==
        static_cast<int>(v0::detail::migrations().size()));
}
