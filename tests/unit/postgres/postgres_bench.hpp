// A database of its own and a simulated Runtime around it: what a process is, started again and
// again.
#pragma once

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/postgres/postgres_stores.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "support/postgres_server.hpp"

namespace aiserve::testing {

/// Tests that need the server return where this is null.
inline PostgresServer* server_or_skip() {
  PostgresServer* server = PostgresServer::shared();
  if (server == nullptr) MESSAGE("SKIPPED: PostgreSQL is not installed here");
  return server;
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
