// A database in a folder and a simulated Runtime around it: what a process is, started again and
// again.
#pragma once

#include "aiserve/core/telemetry.hpp"
#include "aiserve/sqlite/sqlite_job_store.hpp"
#include "aiserve/sqlite/sqlite_stores.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "support/temporary_folder.hpp"

namespace aiserve::testing {

struct StoresBench {
  explicit StoresBench(SqliteDatabaseOptions options)
      : telemetry({.log_sink = [](LogLevel, std::string_view) {}}),
        sim({.telemetry = &telemetry}),
        database(sim.runtime(), std::move(options)),
        values(database),
        jobs(database) {
    sim.start();
  }
  explicit StoresBench(const TemporaryFolder& folder)
      : StoresBench(SqliteDatabaseOptions{.path = folder.file("stores.db")}) {}

  Result<std::int64_t> put(std::string name, std::size_t size = 1) {
    const StoreKey key(TenantId("t"), std::move(name));
    const Bytes value = Bytes::copy(std::string(size, 'v'));
    const PutOptions any;
    return block_on(sim.runtime(), values.put(Context::background(), key, value, any));
  }
  Result<bool> has(std::string name) {
    const StoreKey key(TenantId("t"), std::move(name));
    const auto value = block_on(sim.runtime(), values.get(Context::background(), key));
    if (!value) return value.error();
    return value->has_value();
  }
  Result<bool> erase(std::string name) {
    const StoreKey key(TenantId("t"), std::move(name));
    return block_on(sim.runtime(), values.erase(Context::background(), key, std::nullopt));
  }
  Result<std::vector<Enqueued>> enqueue(std::vector<NewJob> given) {
    return block_on(sim.runtime(), jobs.enqueue(Context::background(), given));
  }
  Result<JobInfo> info(JobId id) {
    const TenantId tenant("t");
    return block_on(sim.runtime(), jobs.get(Context::background(), tenant, id));
  }

  Telemetry telemetry;
  SimRuntime sim;
  SqliteDatabase database;
  SqliteKeyValueStore values;
  SqliteJobStore jobs;
};

}  // namespace aiserve::testing
