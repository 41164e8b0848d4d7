// A job store in a database of its own and a simulated Runtime around it, with short words for its
// operations.
#pragma once

#include <doctest/doctest.h>

#include "aiserve/postgres/postgres_job_store.hpp"
#include "unit/postgres/postgres_bench.hpp"

namespace aiserve::testing {

struct PostgresJobs {
  explicit PostgresJobs(PostgresDatabaseOptions options)
      : database(sim.runtime(), std::move(options)), jobs(database) {
    sim.start();
  }
  explicit PostgresJobs(const std::string& dsn)
      : PostgresJobs(PostgresDatabaseOptions{.dsn = dsn, .connections = 2}) {}

  NewJob job(std::string_view input) const { return NewJob(tenant, "kind", Bytes::copy(input)); }
  Result<std::vector<Enqueued>> enqueue(const std::vector<NewJob>& some) {
    return block_on(sim.runtime(), jobs.enqueue(Context::background(), some));
  }
  Result<HeartbeatReply> heartbeat(WorkerId worker,
                                   std::chrono::milliseconds lease = std::chrono::seconds(30)) {
    return block_on(sim.runtime(), jobs.heartbeat(Context::background(), worker, lease));
  }
  WorkerId start_worker() {
    const WorkerId worker = WorkerId::generate();
    REQUIRE(heartbeat(worker).ok());
    return worker;
  }
  std::vector<ClaimedJob> claim(WorkerId worker, int n) {
    const std::vector<ClaimQuota> quotas{{tenant, "kind", n}};
    return block_on(sim.runtime(), jobs.claim(Context::background(), worker, quotas)).value();
  }
  Settled settle(const Settlement& settlement) {
    const std::vector<Settlement> one{settlement};
    return block_on(sim.runtime(), jobs.settle(Context::background(), one)).value().at(0);
  }
  Result<MaintenanceReport> maintain() {
    return block_on(sim.runtime(), jobs.maintain(Context::background(), 100));
  }
  Result<JobInfo> info(JobId id) {
    return block_on(sim.runtime(), jobs.get(Context::background(), tenant, id));
  }

  const TenantId tenant{"t"};
  SimRuntime sim;
  PostgresDatabase database;
  PostgresJobStore jobs;
};

/// What the counters say, against a count of the rows.
inline void check_counts(const PostgresServer& server, const std::string& name) {
  const auto value = [&](const char* sql) { return server.run(name, sql); };
  CHECK(value("SELECT coalesce(sum(waiting), 0) FROM aiserve.job_count") ==
        value("SELECT count(*) FROM aiserve.job WHERE state IN (0, 3)"));
  CHECK(value("SELECT coalesce(sum(ready), 0) FROM aiserve.job_count") ==
        value("SELECT count(*) FROM aiserve.job WHERE state = 1"));
  CHECK(value("SELECT coalesce(sum(running), 0) FROM aiserve.job_count") ==
        value("SELECT count(*) FROM aiserve.job WHERE state = 2"));
  CHECK_MESSAGE(
      value("SELECT count(*) FROM aiserve.job_input") == value("SELECT count(*) FROM aiserve.job"),
      "inputs");
  CHECK_MESSAGE(value("SELECT count(*) FROM aiserve.job AS behind WHERE blocked > 0 AND NOT EXISTS"
                      " (SELECT FROM aiserve.job AS first WHERE first.tenant = behind.tenant"
                      " AND first.order_key = behind.order_key AND first.blocked = 0)") == "0",
                "nobody waits for nobody");
}

}  // namespace aiserve::testing
