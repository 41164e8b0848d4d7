// A database of its own and a simulated Runtime around it: what a process is, started again and
// again.
#pragma once

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/postgres/postgres_stores.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "support/postgres_server.hpp"

namespace aiserve::testing {

/// Tests that start servers of their own return where this is empty.
inline std::optional<std::string> programs_or_skip() {
  std::optional<std::string> programs = PostgresServer::programs();
  if (!programs) MESSAGE("SKIPPED: PostgreSQL is not installed here");
  return programs;
}

/// Tests that need the server return where this is null.
inline PostgresServer* server_or_skip() {
  return programs_or_skip() ? PostgresServer::shared() : nullptr;
}

/// A connection that is not the library's.
class RawConnection {
 public:
  explicit RawConnection(const std::string& dsn) : conn_(PQconnectdb(dsn.c_str()), &PQfinish) {}
  PGconn* get() const noexcept { return conn_.get(); }
  /// The first field of the answer, or what went wrong.
  std::string run(const std::string& sql) const {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(get(), sql.c_str()),
                                                               &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return PQerrorMessage(get());
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
  }

 private:
  const std::unique_ptr<PGconn, decltype(&PQfinish)> conn_;
};

/// Returns when so many sessions of this database wait for a lock.
inline void wait_for_waiters(const PostgresServer& server, const std::string& database, int count) {
  const std::string sql =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '" +
      database + "'";
  while (server.run("postgres", sql) != std::to_string(count)) ::poll(nullptr, 0, 5);
}

struct PostgresBench {
  explicit PostgresBench(PostgresDatabaseOptions options)
      : telemetry({.log_sink = [this](LogLevel, std::string_view line) { log.append(line); }}),
        sim({.telemetry = &telemetry}),
        database(sim.runtime(), std::move(options)),
        values(database) {
    sim.start();
  }
  explicit PostgresBench(const char* dsn)
      : PostgresBench(PostgresDatabaseOptions{.dsn = dsn, .connections = 2}) {}
  explicit PostgresBench(const std::string& dsn) : PostgresBench(dsn.c_str()) {}

  Result<std::int64_t> put(std::string name, std::size_t size = 1,
                           const Context& ctx = Context::background()) {
    const StoreKey key(TenantId("t"), std::move(name));
    const Bytes value = Bytes::copy(std::string(size, 'v'));
    const PutOptions any;
    return block_on(sim.runtime(), values.put(ctx, key, value, any));
  }
  Result<bool> has(std::string name) {
    const StoreKey key(TenantId("t"), std::move(name));
    const auto value = block_on(sim.runtime(), values.get(Context::background(), key));
    if (!value) return value.error();
    return value->has_value();
  }

  std::string log;
  Telemetry telemetry;
  SimRuntime sim;
  PostgresDatabase database;
  PostgresKeyValueStore values;
};

}  // namespace aiserve::testing
