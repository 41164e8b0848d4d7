// A service over PostgreSQL that is killed with -9 at random moments while it enqueues and runs
// jobs: what it was told is kept, and every job has exactly one outcome in the end.
#include <atomic>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/postgres/postgres_job_store.hpp"
#include "support/campaign.hpp"
#include "unit/campaigns/forked.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::Campaign;
using testing::Dice;
using testing::Forked;
using testing::PostgresServer;
using testing::Said;

namespace {

constexpr int kProducers = 3;
constexpr int kKills = 5;

struct Service {
  explicit Service(const std::string& dsn)
      : telemetry({.log_sink = [](LogLevel, std::string_view) {}}),
        runtime({.telemetry = &telemetry}),
        store(runtime, {.dsn = dsn, .connections = 4}),
        jobs(runtime, store,
             {.concurrency = 4, .max_attempts = 1000, .max_crashes = 1000, .lease = 1s}) {
    // Tells in the transaction of its outcome that it did.
    jobs.on("work", [](const Context&, const Job& job) -> Async<JobOutcome> {
      JobOutcome done = JobOutcome::done(job.input());
      const Bytes id = Bytes::copy(std::to_string(job.id().value()));
      done.tell({"done", id});
      co_return done;
    });
  }
  ~Service() { runtime.shutdown(); }

  Telemetry telemetry;
  Runtime runtime;
  PostgresJobStore store;
  JobQueue jobs;
  Context ctx{ContextOptions{.tenant = Tenant({.id = TenantId("t")})}};
};

/// So many jobs are acknowledged, and then it lives so many microseconds more.
int serve_until_killed(const std::string& dsn, const Said& said, int jobs, std::uint64_t life) {
  Service service(dsn);
  std::atomic<int> left{jobs};
  const Bytes input = Bytes::literal("input");
  const auto produce = [&](const Context& ctx) -> Async<void> {
    for (;;) {
      const Result<Enqueued> made = co_await service.jobs.enqueue(ctx, "work", input);
      if (!made) continue;
      said(std::to_string(made->id.value()));
      if (--left == 0) testing::die_in(life);
    }
  };
  service.runtime.start();
  for (int i = 0; i < kProducers; ++i) spawn(service.runtime, service.ctx, produce);
  for (;;) ::pause();
}

}  // namespace

TEST_CASE("a service over PostgreSQL that is killed loses nothing and records one outcome each") {
  PostgresServer* server = testing::server_or_skip();
  if (server == nullptr) return;
  Campaign(20).run([&](std::uint64_t seed) {
    Dice dice(seed);
    const std::string database = server->new_database();
    const std::string dsn = server->dsn(database);
    std::vector<std::int64_t> acknowledged;
    for (int i = 0; i < kKills; ++i) {
      const int jobs = 1 + dice.roll(300);
      const std::uint64_t life = dice.below(50'000);
      Forked child([&](const Said& said) { return serve_until_killed(dsn, said, jobs, life); });
      while (const auto line = child.line()) acknowledged.push_back(std::stoll(*line));
      REQUIRE(child.wait() == 128 + SIGKILL);
    }
    Service service(dsn);
    service.runtime.start();
    const auto count = [&](const std::string& what) {
      return server->run(database, "SELECT count(*) FROM aiserve." + what);
    };
    while (count("job") != "0") ::poll(nullptr, 0, 5);
    for (const std::int64_t id : acknowledged) {
      const JobInfo job =
          block_on(service.runtime, service.jobs.get(service.ctx, JobId(id))).value();
      REQUIRE(job.state == JobState::completed);
      REQUIRE(job.result->text() == "input");
    }
    CHECK(acknowledged.size() >= kKills);
    CHECK(count("job_done WHERE state <> 4") == "0");
    CHECK(count("job_event") == count("job_done"));
    CHECK(server->run(database, "SELECT count(DISTINCT payload) FROM aiserve.job_event") ==
          count("job_done"));
  });
}
