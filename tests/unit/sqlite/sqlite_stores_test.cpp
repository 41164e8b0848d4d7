#include "aiserve/sqlite/sqlite_stores.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "support/run_cases.hpp"
#include "unit/sqlite/stores_bench.hpp"

using namespace aiserve;
using testing::StoresBench;
using testing::TemporaryFolder;

namespace {

/// A store over a database of its own, in a folder of its own.
template <class Store>
class Fresh {
 public:
  template <class... Options>
  explicit Fresh(Runtime& runtime, const Options&... options)
      : folder_(std::make_unique<TemporaryFolder>()),
        database_(std::make_unique<SqliteDatabase>(
            runtime, SqliteDatabaseOptions{.path = folder_->file("stores.db")})),
        store_(std::make_unique<Store>(*database_, options...)) {}
  Store& operator*() const { return *store_; }

 private:
  std::unique_ptr<TemporaryFolder> folder_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<Store> store_;
};

}  // namespace

TEST_CASE("the key value store in SQLite does what every one has to do") {
  testing::run_cases(testing::key_value_store_cases(), [](testing::SimRuntime& sim) {
    return Fresh<SqliteKeyValueStore>(sim.runtime());
  });
}

TEST_CASE("the idempotency store in SQLite does what every one has to do") {
  testing::run_cases(testing::idempotency_store_cases(), [](testing::SimRuntime& sim) {
    return Fresh<SqliteIdempotencyStore>(sim.runtime());
  });
}

TEST_CASE("the audit log in SQLite does what every one has to do") {
  testing::run_cases(testing::audit_log_cases(), [](testing::SimRuntime& sim) {
    const SqliteAuditOptions options{.key = std::string(testing::kAuditKey)};
    return Fresh<SqliteAuditLog>(sim.runtime(), options);
  });
}

TEST_CASE("what the stores were told survives a restart") {
  const TemporaryFolder folder;
  std::int64_t version = 0;
  {
    StoresBench first(folder);
    version = first.put("key").value();
    const AuditEntry entry(TenantId("t"), "a", "b", "c");
    SqliteAuditLog audit(first.database);
    const auto kept = block_on(first.sim.runtime(), audit.append(Context::background(), entry));
    REQUIRE(kept.ok());
  }
  StoresBench second(folder);
  CHECK(second.has("key").value());
  CHECK(second.put("key").value() > version);
  SqliteAuditLog audit(second.database);
  const AuditEntry entry(TenantId("t"), "a", "b", "c");
  const auto kept = block_on(second.sim.runtime(), audit.append(Context::background(), entry));
  CHECK(kept.value().sequence() == 2);
}

TEST_CASE("what has expired leaves the file") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  const PutOptions brief{.ttl = std::chrono::milliseconds(100)};
  for (int i = 0; i < 20; ++i) {
    const StoreKey key(TenantId("t"), "brief " + std::to_string(i));
    const Bytes value = Bytes::literal("x");
    const auto put =
        block_on(bench.sim.runtime(), bench.values.put(Context::background(), key, value, brief));
    REQUIRE(put.ok());
  }
  bench.sim.advance(std::chrono::seconds(1));
  for (int i = 0; i < 10; ++i) REQUIRE(bench.put("lasting").ok());
  SQLite::Database file(folder.file("stores.db"));
  CHECK(file.execAndGet("SELECT count(*) FROM key_value").getInt() == 1);
}

TEST_CASE("values and entries over their limits are too large") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  SqliteKeyValueStore small(bench.database, {.max_value = 10});
  const StoreKey key(TenantId("t"), "k");
  const Bytes value = Bytes::literal("0123456789x");
  const PutOptions any;
  const auto put = block_on(bench.sim.runtime(), small.put(Context::background(), key, value, any));
  CHECK(put.error().code() == Errc::too_large);
  SqliteAuditLog audit(bench.database, {.max_entry = 10});
  const AuditEntry entry(TenantId("t"), "0123456789x", "", "");
  const auto kept = block_on(bench.sim.runtime(), audit.append(Context::background(), entry));
  CHECK(kept.error().code() == Errc::too_large);
  CHECK_THROWS_AS(SqliteKeyValueStore(bench.database, {.max_value = 0}), ConfigError);
  CHECK_THROWS_AS(SqliteAuditLog(bench.database, {.max_entry = 0}), ConfigError);
}
