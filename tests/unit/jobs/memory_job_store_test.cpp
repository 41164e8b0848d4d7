#include "aiserve/jobs/memory_job_store.hpp"

#include <doctest/doctest.h>

#include "aiserve/testing/job_store_conformance.hpp"
#include "support/run_cases.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::JobStoreSides;

namespace {

class Fresh {
 public:
  explicit Fresh(const Clock& clock)
      : store_(std::make_unique<MemoryJobStore>(MemoryJobStoreOptions{.clock = &clock})),
        sides_(std::make_unique<JobStoreSides>(JobStoreSides{*store_, *store_, store_.get()})) {}
  JobStoreSides& operator*() const noexcept { return *sides_; }

 private:
  std::unique_ptr<MemoryJobStore> store_;
  std::unique_ptr<JobStoreSides> sides_;
};

const TenantId kTenant("t");
const Context& kCtx = Context::background();

}  // namespace

TEST_CASE("the job store in memory does what every one has to do") {
  testing::run_cases(testing::job_store_cases(),
                     [](testing::SimRuntime& sim) { return Fresh(sim.clock()); });
}

TEST_CASE("the job store in memory is controlled as every one has to be") {
  testing::run_cases(testing::job_operator_cases(),
                     [](testing::SimRuntime& sim) { return Fresh(sim.clock()); });
}

TEST_CASE("the job store in memory is bounded") {
  testing::SimRuntime sim;
  MemoryJobStore store({.max_size = 4, .max_jobs = 2, .clock = &sim.clock()});
  sim.start();
  const std::vector<NewJob> large{NewJob(kTenant, "kind", Bytes::literal("12345"))};
  CHECK(block_on(sim.runtime(), store.enqueue(kCtx, large)).error().code() == Errc::too_large);
  const std::vector<NewJob> two(2, NewJob(kTenant, "kind", Bytes::literal("1234")));
  CHECK(block_on(sim.runtime(), store.enqueue(kCtx, two)).ok());
  CHECK(block_on(sim.runtime(), store.enqueue(kCtx, two)).error().code() == Errc::overloaded);
}

TEST_CASE("finished jobs leave the memory after the retention") {
  testing::SimRuntime sim;
  MemoryJobStore store({.max_jobs = 1, .retention = 10s, .clock = &sim.clock()});
  sim.start();
  const std::vector<NewJob> one{NewJob(kTenant, "kind", Bytes())};
  const JobId id = block_on(sim.runtime(), store.enqueue(kCtx, one)).value().at(0).id;
  REQUIRE(block_on(sim.runtime(), store.control(kCtx, kTenant, id, JobAction::cancel)).ok());
  sim.advance(11s);
  CHECK(block_on(sim.runtime(), store.maintain(kCtx, 10)).value().pruned == 1);
  CHECK(block_on(sim.runtime(), store.get(kCtx, kTenant, id)).error().code() == Errc::not_found);
  CHECK(block_on(sim.runtime(), store.enqueue(kCtx, one)).ok());
}

TEST_CASE("options of the job store in memory are checked") {
  CHECK_THROWS_AS(MemoryJobStore({.max_size = 0}), ConfigError);
  CHECK_THROWS_AS(MemoryJobStore({.max_jobs = 0}), ConfigError);
  CHECK_THROWS_AS(MemoryJobStore({.retention = 0ms}), ConfigError);
}
