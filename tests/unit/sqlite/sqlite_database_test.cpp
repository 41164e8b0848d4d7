#include "aiserve/sqlite/sqlite_database.hpp"

#include <array>
#include <fstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <sys/mount.h>

#include "sqlite/sqlite_core.hpp"
#include "unit/sqlite/stores_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::StoresBench;
using testing::TemporaryFolder;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Writes until one is refused; how many were not.
int fill(StoresBench& bench, Errc& refusal, std::size_t size = 20'000) {
  for (int i = 0; i < 10'000; ++i) {
    const Result<std::int64_t> put = bench.put("row " + std::to_string(i), size);
    if (put) continue;
    refusal = put.error().code();
    return i;
  }
  return 10'000;
}

/// It has exactly the rows that were acknowledged, and takes new ones when rows are gone.
void check_full_and_healed(StoresBench& bench, int rows) {
  CHECK(rows > 5);
  CHECK(bench.has("row " + std::to_string(rows - 1)).value());
  CHECK_FALSE(bench.has("row " + std::to_string(rows)).value());
  for (int i = 0; i < rows / 2; ++i) REQUIRE(bench.erase("row " + std::to_string(i)).ok());
  CHECK_MESSAGE(bench.put("after", 20'000).ok(), "there is room again");
}

class SmallDisk {
 public:
  SmallDisk() { mounted_ = ::mount("none", path(), "tmpfs", 0, "size=1m") == 0; }
  ~SmallDisk() {
    if (mounted_) ::umount2(path(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  explicit operator bool() const noexcept { return mounted_; }
  std::string file() const { return folder_.file("stores.db"); }

 private:
  const char* path() const noexcept { return path_.c_str(); }
  TemporaryFolder folder_;
  std::string path_ = folder_.path();
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("a file at its largest size is overloaded, keeps what was acknowledged and heals") {
  const TemporaryFolder folder;
  StoresBench bench({.path = folder.file("stores.db"), .max_size = 1 << 20});
  Errc refusal{};
  const int rows = fill(bench, refusal);
  CHECK(refusal == Errc::overloaded);
  CHECK(bench.database.stats().failures == 1);
  check_full_and_healed(bench, rows);
}

TEST_CASE("a full disk is overloaded, loses nothing that was acknowledged and heals") {
  const SmallDisk disk;
  if (!disk) {
    MESSAGE("SKIPPED: no tmpfs can be mounted here");
    return;
  }
  const std::string ballast = disk.file() + ".ballast";
  std::ofstream(ballast) << std::string(400'000, 'x');
  int rows = 0;
  {
    StoresBench bench({.path = disk.file()});
    Errc refusal{};
    rows = fill(bench, refusal, 3'000);
    CHECK(refusal == Errc::overloaded);
    CHECK(bench.has("row 0").value());
    std::filesystem::remove(ballast);
    CHECK_MESSAGE(bench.put("after", 3'000).ok(), "there is room again");
  }
  StoresBench again({.path = disk.file(), .check = SqliteCheck::full});
  CHECK(rows > 5);
  for (int i = 0; i < rows; ++i) CHECK(again.has("row " + std::to_string(i)).value());
  CHECK_FALSE(again.has("row " + std::to_string(rows)).value());
  CHECK(again.has("after").value());
}

TEST_CASE("a write that fails half-way takes no other with it") {
  const TemporaryFolder folder;
  StoresBench bench({.path = folder.file("stores.db"), .max_size = 1 << 20});
  std::vector<Result<std::int64_t>> results(5);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto put = [&bench, &results, i](const Context& ctx) -> Async<void> {
      const StoreKey key(TenantId("t"), "key " + std::to_string(i));
      const Bytes value = Bytes::copy(std::string(i == 2 ? 1'000'000 : 10, 'v'));
      const PutOptions any;
      results[i] = co_await bench.values.put(ctx, key, value, any);
      co_return success();
    };
    spawn(bench.sim.runtime(), Context::background(), put);
  }
  REQUIRE(bench.put("filler", 300'000).ok());
  bench.sim.run_until_idle();
  for (std::size_t i = 0; i < results.size(); ++i) CHECK(results[i].ok() == (i != 2));
}

TEST_CASE("a queue of writes that is full refuses the next one") {
  const TemporaryFolder folder;
  StoresBench bench({.path = folder.file("stores.db"), .max_queue = 2, .max_group = 1});
  std::vector<Errc> refused;
  int written = 0;
  for (int i = 0; i < 5; ++i) {
    const auto put = [&, i](const Context& ctx) -> Async<void> {
      const StoreKey key(TenantId("t"), std::to_string(i));
      const Bytes value = Bytes::literal("v");
      const PutOptions any;
      const auto done = co_await bench.values.put(ctx, key, value, any);
      if (done) ++written;
      if (!done) refused.push_back(done.error().code());
      co_return success();
    };
    spawn(bench.sim.runtime(), Context::background(), put);
  }
  bench.sim.run_until_idle();
  CHECK(written == 2);
  CHECK(refused == std::vector<Errc>(3, Errc::overloaded));
}

TEST_CASE("writes that wait together are committed together") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  const std::uint64_t before = bench.database.stats().commits;
  int written = 0;
  for (int i = 0; i < 50; ++i) {
    const auto put = [&, i](const Context& ctx) -> Async<void> {
      const StoreKey key(TenantId("t"), std::to_string(i));
      const Bytes value = Bytes::literal("v");
      const PutOptions any;
      const auto done = co_await bench.values.put(ctx, key, value, any);
      if (done) ++written;
      co_return success();
    };
    spawn(bench.sim.runtime(), Context::background(), put);
  }
  bench.sim.run_until_idle();
  CHECK(written == 50);
  CHECK(bench.database.stats().commits == before + 1);
}

TEST_CASE(
    "where time is set by hand a write waits for no others, however long commits seem to take") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  int written = 0;
  const auto write = [&](const Context& ctx) -> Async<void> {
    const auto slow = [&](detail::Connection&) -> Result<int> {
      bench.sim.clock().advance(std::chrono::seconds(1));
      return 1;
    };
    const Result<int> done = co_await bench.database.core().write(ctx, slow);
    if (done) ++written;
    co_return success();
  };
  for (int i = 0; i < 8; ++i) spawn(bench.sim.runtime(), Context::background(), write);
  bench.sim.run_until_idle();
  REQUIRE(written == 8);
  spawn(bench.sim.runtime(), Context::background(), write);
  bench.sim.run_until_idle();
  CHECK(written == 9);
}

TEST_CASE("a write whose caller gave up before its turn is not done") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  const Context gone = Context::background().child();
  gone.cancel(CancelReason::user);
  const StoreKey key(TenantId("t"), "key");
  const Bytes value = Bytes::literal("v");
  const PutOptions any;
  const auto put = block_on(bench.sim.runtime(), bench.values.put(gone, key, value, any));
  CHECK(put.error().code() == Errc::cancelled);
  CHECK_FALSE(bench.has("key").value());
}

TEST_CASE("a file that another process writes to is unavailable for that long, then not") {
  const TemporaryFolder folder;
  StoresBench bench({.path = folder.file("stores.db"), .busy_timeout = 0ms});
  SQLite::Database other(folder.file("stores.db"), SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  const Result<std::int64_t> put = bench.put("key");
  REQUIRE_FALSE(put.ok());
  CHECK(put.error().code() == Errc::unavailable);
  CHECK_MESSAGE(bench.has("key").ok(), "reads go on");
  other.exec("COMMIT");
  CHECK(bench.put("key").ok());
}

TEST_CASE("two databases on one file see each other's writes") {
  const TemporaryFolder folder;
  StoresBench one(folder);
  StoresBench two(folder);
  REQUIRE(one.put("of one").ok());
  REQUIRE(two.put("of two").ok());
  CHECK(two.has("of one").value());
  CHECK(one.has("of two").value());
}

TEST_CASE("a backup is whole, can be opened, and replaces the one before") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  const std::string copy = folder.file("copy.db");
  for (const char* key : {"first", "second"}) {
    REQUIRE(bench.put(key, 5'000).ok());
    const auto done =
        block_on(bench.sim.runtime(), bench.database.backup(Context::background(), copy));
    CHECK_MESSAGE(done.ok(), (done ? "" : done.error().to_string()));
    StoresBench restored({.path = copy, .check = SqliteCheck::full});
    CHECK(restored.has(key).value());
  }
  const std::string nowhere = folder.file("no/such/folder/copy.db");
  const auto failed =
      block_on(bench.sim.runtime(), bench.database.backup(Context::background(), nowhere));
  CHECK_FALSE(failed.ok());
  CHECK(bench.put("third").ok());
}

TEST_CASE("a damaged file is found by a check at the start, or when asked") {
  const TemporaryFolder folder;
  {
    StoresBench bench(folder);
    for (int i = 0; i < 100; ++i) REQUIRE(bench.put("row " + std::to_string(i), 500).ok());
    const auto good = block_on(bench.sim.runtime(),
                               bench.database.check(Context::background(), SqliteCheck::full));
    CHECK(good.ok());
  }
  const std::string path = folder.file("stores.db");
  std::string content = read_file(path);
  REQUIRE(content.size() > 100'000);
  for (std::size_t at = 70'000; at < 100'000; ++at) content[at] = 'x';
  std::ofstream(path, std::ios::binary) << content;
  const auto open = [&](SqliteCheck check) {
    const StoresBench bench({.path = path, .check = check});
  };
  CHECK_THROWS_AS(open(SqliteCheck::quick), ConfigError);
  CHECK_THROWS_AS(open(SqliteCheck::full), ConfigError);
}

TEST_CASE("a file that is no database, a folder and a missing folder are configuration errors") {
  const TemporaryFolder folder;
  std::ofstream(folder.file("text")) << std::string(5'000, 'x');
  std::filesystem::create_directory(folder.file("folder"));
  for (const char* name : {"text", "folder", "no/such/file"}) {
    CHECK_THROWS_AS(StoresBench({.path = folder.file(name)}), ConfigError);
  }
  CHECK(read_file(folder.file("text")) == std::string(5'000, 'x'));
}

TEST_CASE("options of the database are checked") {
  const TemporaryFolder folder;
  const std::string path = folder.file("stores.db");
  CHECK_THROWS_AS(StoresBench(SqliteDatabaseOptions{}), ConfigError);
  CHECK_THROWS_AS(StoresBench({.path = path, .max_size = 1}), ConfigError);
  CHECK_THROWS_AS(StoresBench({.path = path, .max_queue = 0}), ConfigError);
  CHECK_THROWS_AS(StoresBench({.path = path, .max_group = 0}), ConfigError);
  CHECK_THROWS_AS(StoresBench({.path = path, .busy_timeout = -1ms}), ConfigError);
}

TEST_CASE("a database that was never started, and one after its end, refuse and leak nothing") {
  const TemporaryFolder folder;
  testing::SimRuntime sim;
  { const SqliteDatabase unused(sim.runtime(), {.path = folder.file("stores.db")}); }
  StoresBench bench(folder);
  REQUIRE(bench.put("key").ok());
  bench.sim.shutdown();
  CHECK_FALSE(bench.put("late").ok());
}
