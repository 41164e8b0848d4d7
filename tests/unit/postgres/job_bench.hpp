// A job store in a database of its own and a simulated Runtime around it, with short words for its
// operations.
#pragma once

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

}  // namespace aiserve::testing
