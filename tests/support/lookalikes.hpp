// check_lookalikes: inputs that begin like the marks of a queue, enqueued past the queue.
#pragma once

#include <string>

#include <doctest/doctest.h>

#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/testing/sim_runtime.hpp"

namespace aiserve::inline v0::testing {

/// `enqueue(std::string_view input)` gives the id of a job of the tenant.
template <class Store, class Enqueue>
void check_lookalikes(SimRuntime& sim, Store& store, const TenantId& tenant,
                      const Enqueue& enqueue) {
  JobQueue queue(sim.runtime(), store, {.concurrency = 0});
  const Context ctx = Context::background().with_tenant(Tenant::make({.id = tenant}).value());
  const auto read = [&](JobId id) {
    return block_on(sim.runtime(), queue.input(ctx, id)).value().to_string();
  };
  const std::string forged = std::string(JobReader::kReferenceMark) + "jobs/of-somebody";
  const JobId once = enqueue(forged);
  CHECK(read(once) == forged);
  const std::string stored =
      block_on(sim.runtime(), store.input(ctx, tenant, once)).value().to_string();
  CHECK(stored != forged);
  CHECK_MESSAGE(read(enqueue(stored)) == stored, "what is escaped looks like a mark as well");
  CHECK(read(enqueue("plain")) == "plain");
}

}  // namespace aiserve::inline v0::testing
