// A JobQueue over a store in memory, in simulated time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/jobs/memory_job_store.hpp"
#include "aiserve/testing/sim_runtime.hpp"

namespace aiserve::testing {

inline const TenantId kTenant("t");

inline Context context_of(const TenantId& tenant) {
  return Context(ContextOptions{.tenant = Tenant({.id = tenant})});
}

struct QueueBench {
  explicit QueueBench(JobQueueOptions options = {})
      : telemetry({.log_sink = [this](LogLevel, std::string_view line) { log += line; }}),
        sim({.telemetry = &telemetry}),
        store({.clock = &sim.clock()}),
        jobs(sim.runtime(), store, std::move(options)) {}

  JobId enqueue(const NewJob& job) {
    return block_on(sim.runtime(), jobs.enqueue(ctx, job)).value().id;
  }
  JobId enqueue(std::string_view kind, std::string_view input = "in") {
    return enqueue(jobs.make(ctx, kind, Bytes::copy(input)));
  }
  Error refused(const NewJob& job) {
    const Result<Enqueued> done = block_on(sim.runtime(), jobs.enqueue(ctx, job));
    REQUIRE_FALSE(done.ok());
    return done.error();
  }
  JobInfo info(JobId id) { return block_on(sim.runtime(), jobs.get(ctx, id)).value(); }
  JobState state(JobId id) { return info(id).state; }
  WallTime in(Duration delay) { return sim.clock().wall_now() + delay; }
  bool logged(std::string_view text) const { return log.find(text) != std::string::npos; }
  double metric(const std::string& series) {
    const std::string text = telemetry.metrics().prometheus();
    const std::size_t at = text.find('\n' + series + ' ');
    REQUIRE_MESSAGE(at != std::string::npos, series);
    return std::stod(text.substr(at + series.size() + 2));
  }

  std::string log;
  Telemetry telemetry;
  SimRuntime sim;
  MemoryJobStore store;
  Context ctx = context_of(kTenant);
  JobQueue jobs;
};

/// A handler that counts, and ends as it is told.
inline JobHandler ends(JobOutcome outcome, int* runs = nullptr) {
  return [outcome = std::move(outcome), runs](const Context&, const Job&) -> Async<JobOutcome> {
    if (runs != nullptr) ++*runs;
    co_return outcome;
  };
}

/// A handler that runs so long, or until its Context ends.
inline JobHandler takes(Duration length) {
  return [length](const Context& ctx, const Job& job) -> Async<JobOutcome> {
    const Result<void> slept = co_await sleep(ctx, length);
    if (!slept) co_return slept.error();
    co_return JobOutcome::done(job.input());
  };
}

}  // namespace aiserve::testing
