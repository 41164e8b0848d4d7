// A queue in SQLite with its large payloads in files.
#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/storage/file_object_store.hpp"
#include "unit/sqlite/stores_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::StoresBench;
using testing::TemporaryFolder;

namespace {

const TenantId kTenant("t");

/// A process.
struct Service {
  Service(const TemporaryFolder& folder, std::chrono::milliseconds retention)
      : telemetry({.log_sink = [this](LogLevel, std::string_view line) { log += line; }}),
        sim({.telemetry = &telemetry}),
        objects(sim.runtime(), {.root = folder.file("payloads")}),
        store(sim.runtime(), {.path = folder.file("jobs.db")}, {.retention = retention}),
        jobs(sim.runtime(), store, {.offload = {.objects = &objects, .above = 1024}}) {}

  JobId enqueue(std::string_view input) {
    const Bytes bytes = Bytes::copy(input);
    return block_on(sim.runtime(), jobs.enqueue(ctx, "echo", bytes)).value().id;
  }
  Result<JobInfo> get(JobId id) { return block_on(sim.runtime(), jobs.get(ctx, id)); }

  std::string log;
  Telemetry telemetry;
  testing::SimRuntime sim;
  FileObjectStore objects;
  SqliteJobStore store;
  Context ctx{ContextOptions{.tenant = Tenant({.id = kTenant})}};
  JobQueue jobs;
};

std::size_t files_in(const TemporaryFolder& folder) {
  const std::filesystem::directory_iterator all(folder.file("payloads"));
  return static_cast<std::size_t>(std::distance(all, {}));
}

}  // namespace

TEST_CASE("large payloads survive restarts, and their files go with their jobs") {
  const TemporaryFolder folder;
  const std::string large(100'000, 'x');
  JobId id;
  {
    Service producer(folder, 2h);
    producer.sim.start();
    id = producer.enqueue(large);
    // As a process would that ended before it could enqueue.
    const StoreKey orphan(kTenant, "jobs/of nobody");
    const Bytes content = Bytes::literal("orphan");
    REQUIRE(block_on(producer.sim.runtime(), producer.objects.put(producer.ctx, orphan, content)));
  }
  CHECK(files_in(folder) == 2);
  Service worker(folder, 2h);
  worker.jobs.on("echo", [](const Context&, const Job& job) -> Async<JobOutcome> {
    co_return JobOutcome::done(job.input());
  });
  worker.sim.start();
  worker.sim.run_until_idle();
  CHECK(worker.get(id).value().result->text() == large);
  CHECK(files_in(folder) == 3);
  worker.sim.advance(95min);  // an hour, and two sweeps at random moments
  CHECK(files_in(folder) == 2);
  CHECK(worker.get(id).value().result->text() == large);
  worker.sim.advance(75min);
  CHECK(files_in(folder) == 0);
  CHECK(worker.log.find("could not be deleted") == std::string::npos);
}

TEST_CASE("references are found by their indexes, however many jobs there are") {
  const TemporaryFolder folder;
  { const StoresBench bench(folder); }
  SQLite::Database file(folder.file("stores.db"));
  const std::string mark = "x'807d73953cbbc6486ff9c1b45bfe89a1'";
  const auto plan = [&](const std::string& table, const std::string& column) {
    SQLite::Statement query(file, "EXPLAIN QUERY PLAN SELECT 1 FROM " + table +
                                      " WHERE tenant = ?1 AND " + column + " = ?2 AND substr(" +
                                      column + ", 1, 16) = " + mark + " AND length(" + column +
                                      ") <= 512");
    REQUIRE(query.executeStep());
    return query.getColumn(3).getString();
  };
  CHECK(plan("job_input", "input").find("job_input_reference") != std::string::npos);
  CHECK(plan("job_done", "result").find("job_result_reference") != std::string::npos);
}
