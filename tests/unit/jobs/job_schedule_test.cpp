#include "unit/jobs/queue_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::ends;
using testing::QueueBench;

namespace {

// Days pass in these tests: heartbeats and polls are as rare as they may be.
JobQueueOptions for_days() { return {.lease = 1h, .poll = 1min}; }

}  // namespace

TEST_CASE("a schedule enqueues a job at every run") {
  QueueBench bench(for_days());
  std::vector<WallTime> runs;
  bench.jobs.on("report", [&](const Context& ctx, const Job& job) -> Async<JobOutcome> {
    CHECK(ctx.tenant().id() == testing::kTenant);
    CHECK(job.input().text() == "daily");
    runs.push_back(bench.sim.clock().wall_now());
    co_return JobOutcome::done();
  });
  bench.jobs.schedule("nightly", {.cron = "30 2 * * *",
                                  .kind = "report",
                                  .tenant = testing::kTenant,
                                  .input = Bytes::literal("daily"),
                                  .catch_up = CatchUp::none});
  bench.sim.start();  // 2026-01-01 00:00 UTC
  const WallTime midnight = bench.sim.clock().wall_now();
  bench.sim.advance(72h);
  const std::vector<WallTime> expected{midnight + 2h + 30min, midnight + 26h + 30min,
                                       midnight + 50h + 30min};
  CHECK(runs == expected);
}

TEST_CASE("a schedule follows its time zone") {
  QueueBench bench(for_days());
  std::vector<WallTime> runs;
  bench.jobs.on("report", [&](const Context&, const Job&) -> Async<JobOutcome> {
    runs.push_back(bench.sim.clock().wall_now());
    co_return JobOutcome::done();
  });
  bench.jobs.schedule("nightly", {.cron = "30 2 * * *",
                                  .time_zone = "Europe/Berlin",
                                  .kind = "report",
                                  .catch_up = CatchUp::none});
  bench.sim.start();
  const WallTime midnight = bench.sim.clock().wall_now();
  bench.sim.advance(24h);
  const std::vector<WallTime> expected{midnight + 1h + 30min};
  CHECK(runs == expected);
}

TEST_CASE("a schedule that several processes have runs once, and once more after each restart") {
  testing::SimRuntime sim;
  MemoryJobStore store({.retention = 48h, .clock = &sim.clock()});
  int runs = 0;
  const JobSchedule hourly{.cron = "0 * * * *", .kind = "tick"};
  const auto wire = [&](JobQueue& jobs) {
    jobs.on("tick", ends(JobOutcome::done(), &runs)).schedule("hourly", hourly);
  };
  JobQueue first(sim.runtime(), store, {.name = "first"});
  JobQueue second(sim.runtime(), store, {.name = "second"});
  wire(first);
  wire(second);
  sim.start();
  sim.run_until_idle();
  CHECK(runs == 1);  // of the hour that has begun: the latest run before the start
  sim.advance(3h + 1s);
  CHECK(runs == 4);
}

TEST_CASE("runs that were missed are made up for as the policy says") {
  const auto missed = [](CatchUp policy, Duration since) {
    QueueBench bench;
    int runs = 0;
    bench.jobs.on("tick", ends(JobOutcome::done(), &runs));
    bench.jobs.schedule(
        "hourly",
        {.cron = "30 * * * *", .kind = "tick", .catch_up = policy, .since = bench.in(-since)});
    bench.sim.start();
    bench.sim.advance(1s);
    return runs;
  };
  CHECK(missed(CatchUp::none, 1000h) == 0);
  CHECK(missed(CatchUp::latest, 1000h) == 1);
  CHECK(missed(CatchUp::all, 1000h) == 24);
  CHECK(missed(CatchUp::all, 4h) == 4);
  CHECK(missed(CatchUp::latest, 10min) == 0);
}

TEST_CASE("a schedule that cannot work is refused when it is written") {
  QueueBench bench;
  CHECK_THROWS_AS(bench.jobs.schedule("x", {.cron = "61 * * * *", .kind = "a"}), ConfigError);
  CHECK_THROWS_AS(bench.jobs.schedule("x", {.cron = "@daily"}), ConfigError);
  CHECK_THROWS_AS(
      bench.jobs.schedule("x", {.cron = "@daily", .time_zone = "Atlantis", .kind = "a"}),
      ConfigError);
  CHECK_THROWS_AS(
      bench.jobs.schedule("x", {.cron = "@daily", .time_zone = "../../../etc/passwd", .kind = "a"}),
      ConfigError);
  bench.jobs.schedule("x", {.cron = "@daily", .kind = "a"});
  CHECK_THROWS_AS(bench.jobs.schedule("x", {.cron = "@daily", .kind = "a"}), ConfigError);
}
