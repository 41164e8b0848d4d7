#include "aiserve/postgres/postgres_stores.hpp"

#include <doctest/doctest.h>

#include "support/run_cases.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using testing::PostgresBench;
using testing::PostgresServer;
using testing::server_or_skip;

namespace {

/// A store over a database of its own.
template <class Store>
class Fresh {
 public:
  template <class... Options>
  explicit Fresh(Runtime& runtime, PostgresServer& server, bool prepared, const Options&... options)
      : database_(std::make_unique<PostgresDatabase>(
            runtime,
            PostgresDatabaseOptions{
                .dsn = server.dsn(server.new_database()), .connections = 2, .prepared = prepared})),
        store_(std::make_unique<Store>(*database_, options...)) {}
  Store& operator*() const { return *store_; }

 private:
  std::unique_ptr<PostgresDatabase> database_;
  std::unique_ptr<Store> store_;
};

}  // namespace

TEST_CASE("the key value store in PostgreSQL does what every one has to do") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  for (const bool prepared : {true, false}) {
    testing::run_cases(testing::key_value_store_cases(), [&](testing::SimRuntime& sim) {
      return Fresh<PostgresKeyValueStore>(sim.runtime(), *server, prepared);
    });
  }
}

TEST_CASE("the idempotency store in PostgreSQL does what every one has to do") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  testing::run_cases(testing::idempotency_store_cases(), [&](testing::SimRuntime& sim) {
    return Fresh<PostgresIdempotencyStore>(sim.runtime(), *server, true);
  });
}

TEST_CASE("the audit log in PostgreSQL does what every one has to do") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  testing::run_cases(testing::audit_log_cases(), [&](testing::SimRuntime& sim) {
    const PostgresAuditOptions options{.key = std::string(testing::kAuditKey)};
    return Fresh<PostgresAuditLog>(sim.runtime(), *server, true, options);
  });
}

TEST_CASE("what the stores were told survives a restart") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string dsn = server->dsn(server->new_database());
  std::int64_t version = 0;
  {
    PostgresBench first(dsn);
    version = first.put("key").value();
  }
  PostgresBench second(dsn);
  CHECK(second.has("key").value());
  CHECK(second.put("key").value() > version);
}

TEST_CASE("without a tenant the database shows no row, and of a tenant no other's") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresBench bench(server->dsn(name));
  REQUIRE(bench.put("of t").ok());
  const StoreKey anonymous(TenantId(), "of nobody");
  const Bytes value = Bytes::literal("v");
  const PutOptions any;
  REQUIRE(
      block_on(bench.sim.runtime(), bench.values.put(Context::background(), anonymous, value, any))
          .ok());
  const auto count = [&](const std::string& settings) {
    return server->run(name, "BEGIN;" + settings + "SELECT count(*) FROM aiserve.key_value");
  };
  const std::string role = "SET LOCAL ROLE aiserve_tenant;";
  CHECK(count(role) == "0");
  CHECK_MESSAGE(count(role + "SET LOCAL aiserve.tenant = '';") == "0", "as a session that had one");
  CHECK_MESSAGE(count(role + "SET LOCAL aiserve.tenant = 'x';") == "1", "the anonymous one");
  CHECK(count(role + "SET LOCAL aiserve.tenant = 'x74';") == "1");
  CHECK(count(role + "SET LOCAL aiserve.tenant = 'x75';") == "0");
  const std::string forged =
      server->run(name, "BEGIN;" + role +
                            "SET LOCAL aiserve.tenant = 'x75';"
                            "INSERT INTO aiserve.key_value VALUES ('t', 'forged', 1, NULL, '')");
  CHECK(forged.find("row-level security") != std::string::npos);
  const std::string audit = server->run(
      name, "BEGIN;" + role + "SET LOCAL aiserve.tenant = 'x74'; DELETE FROM aiserve.audit");
  CHECK_MESSAGE(audit.find("permission denied") != std::string::npos, "what was done stays done");
}

TEST_CASE("every table with a tenant has row-level security that its owner cannot pass") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  const PostgresBench bench(server->dsn(name));
  CHECK(std::stoi(server->run(name,
                              "SELECT count(*) FROM information_schema.columns WHERE "
                              "table_schema = 'aiserve' AND column_name = 'tenant'")) >= 10);
  CHECK(server->run(name,
                    "SELECT string_agg(c.relname, ',') FROM pg_class c "
                    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' "
                    "WHERE c.relnamespace = 'aiserve'::regnamespace AND c.relkind IN ('r', 'p') "
                    "AND NOT (c.relrowsecurity AND c.relforcerowsecurity)") == "");
  CHECK(server->run(name,
                    "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'aiserve%' "
                    "AND (rolbypassrls OR rolsuper OR rolcanlogin)") == "0");
}

TEST_CASE("options of the stores are checked") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  PostgresBench bench(server->dsn(server->new_database()));
  CHECK_THROWS_AS(PostgresKeyValueStore(bench.database, {.max_value = 0}), ConfigError);
  CHECK_THROWS_AS(PostgresIdempotencyStore(bench.database, {.max_value = 600'000'000}),
                  ConfigError);
  CHECK_THROWS_AS(PostgresAuditLog(bench.database, {.max_entry = 0}), ConfigError);
}
