// Leases, failing stores, several workers.
#include "unit/jobs/faulty_job_store.hpp"
#include "unit/jobs/queue_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::ends;
using testing::takes;

namespace {

/// Two processes: queues over one store, of which the first one's connection can fail.
struct Pair {
  explicit Pair(JobQueueOptions options = {.concurrency = 2, .lease = 3s})
      : telemetry({.log_sink = [this](LogLevel, std::string_view line) { log += line; }}),
        sim({.telemetry = &telemetry}),
        store({.clock = &sim.clock()}),
        faulty(store),
        first(sim.runtime(), faulty, store, named(options, "first")),
        second(sim.runtime(), store, named(options, "second")) {}

  static JobQueueOptions named(JobQueueOptions options, const char* name) {
    options.name = name;
    return options;
  }
  JobId enqueue(std::string_view kind) {
    const Bytes input;
    return block_on(sim.runtime(), first.enqueue(ctx, kind, input)).value().id;
  }
  JobInfo info(JobId id) { return block_on(sim.runtime(), first.get(ctx, id)).value(); }

  std::string log;
  Telemetry telemetry;
  testing::SimRuntime sim;
  MemoryJobStore store;
  testing::FaultyJobStore faulty;
  Context ctx = testing::context_of(testing::kTenant);
  JobQueue first;
  JobQueue second;
};

}  // namespace

TEST_CASE("a lost lease cancels the jobs of this worker, and others run them") {
  Pair pair;
  int begun = 0;
  CancelReason reason = CancelReason::none;
  pair.first.on("a", [&](const Context& ctx, const Job&) -> Async<JobOutcome> {
    ++begun;
    const Result<void> slept = co_await sleep(ctx, 1h);
    reason = ctx.reason();
    co_return JobOutcome::done(Bytes::literal("late"));
  });
  pair.second.on("a", ends(JobOutcome::done(Bytes::literal("other"))));
  pair.second.pause();
  pair.sim.start();
  const JobId id = pair.enqueue("a");
  pair.sim.advance(10s);
  REQUIRE(begun == 1);
  pair.faulty.deaf = true;
  pair.second.resume();
  pair.sim.advance(2s);
  CHECK(reason == CancelReason::none);
  pair.sim.advance(2s);
  CHECK(reason == CancelReason::lease_lost);
  pair.sim.advance(2s);
  const JobInfo info = pair.info(id);
  CHECK(info.state == JobState::completed);
  CHECK(pair.log.find("lease of this worker is lost") != std::string::npos);
  pair.faulty.deaf = false;
  pair.sim.advance(2s);
  CHECK(pair.first.snapshot().leased);
}

TEST_CASE("jobs of a process that died run elsewhere within a lease and a second") {
  Pair pair({.concurrency = 2, .lease = 2s});
  pair.first.on("a", takes(1h));
  int runs = 0;
  pair.second.on("a", ends(JobOutcome::done(), &runs));
  pair.second.pause();
  pair.sim.start();
  pair.enqueue("a");
  pair.enqueue("a");
  pair.sim.run_until_idle();
  CHECK(pair.first.snapshot().running == 2);
  pair.faulty.down = true;
  pair.second.resume();
  pair.sim.advance(3s);
  CHECK(runs == 2);
}

TEST_CASE("outcomes are told again until the store takes them") {
  Pair pair({.concurrency = 4, .lease = 1min});
  int runs = 0;
  pair.first.on("a", [&](const Context& ctx, const Job&) -> Async<JobOutcome> {
    ++runs;
    const Result<void> slept = co_await sleep(ctx, 1s);
    co_return JobOutcome::from(slept);
  });
  pair.sim.start();
  const JobId id = pair.enqueue("a");
  pair.sim.run_until_idle();
  pair.faulty.down = true;
  pair.sim.advance(20s);
  CHECK(pair.first.snapshot().unsettled == 1);
  CHECK(pair.faulty.settles < 20);
  pair.faulty.down = false;
  pair.sim.advance(6s);
  CHECK(pair.info(id).state == JobState::completed);
  CHECK(runs == 1);
}

TEST_CASE("an outcome whose key others hold is told again, and holds up no other one") {
  Pair pair({.concurrency = 1, .max_attempts = 1, .lease = 2s});
  int runs = 0;
  pair.first.on("a", ends(JobOutcome::done(), &runs));
  pair.sim.start();
  const JobId held(1);
  pair.faulty.held_up.insert(held);
  REQUIRE(pair.enqueue("a") == held);
  pair.sim.run_until_idle();
  CHECK(pair.info(held).state == JobState::running);
  CHECK(pair.first.snapshot().unsettled == 1);
  const std::string unsettled = R"(aiserve_jobs_unsettled{queue="first"} )";
  const auto exported = [&] { return pair.telemetry.metrics().prometheus(); };
  CHECK(exported().find(unsettled + "1\n") != std::string::npos);
  // It has its slot until it is recorded: what is kept in memory stays bounded.
  const JobId other = pair.enqueue("a");
  pair.sim.advance(10s);
  CHECK(pair.info(other).state == JobState::available);
  CHECK(pair.faulty.settles <= 11);
  pair.faulty.held_up.clear();
  pair.sim.advance(2s);
  CHECK(pair.info(held).state == JobState::completed);
  CHECK(pair.info(other).state == JobState::completed);
  CHECK(exported().find(unsettled + "0\n") != std::string::npos);
  CHECK(runs == 2);
}

TEST_CASE("outcomes beside one that is held up are recorded") {
  Pair pair({.concurrency = 2, .lease = 2s});
  int runs = 0;
  pair.first.on("a", ends(JobOutcome::done(), &runs));
  pair.sim.start();
  const JobId held(1);
  pair.faulty.held_up.insert(held);
  REQUIRE(pair.enqueue("a") == held);
  for (int i = 0; i < 5; ++i) {
    const JobId other = pair.enqueue("a");
    pair.sim.run_until_idle();
    CHECK(pair.info(other).state == JobState::completed);
  }
  CHECK(pair.info(held).state == JobState::running);
}

TEST_CASE("an outcome that is held up does not keep a process from ending") {
  std::string log;
  {
    Pair pair({.concurrency = 2, .lease = 2s});
    int runs = 0;
    pair.first.on("a", ends(JobOutcome::done(), &runs));
    pair.sim.start();
    pair.faulty.held_up.insert(JobId(1));
    pair.enqueue("a");
    pair.sim.run_until_idle();
    pair.sim.runtime().shutdown();
    CHECK(pair.first.snapshot().unsettled == 0);
    log = pair.log;
  }
  CHECK(log.find("outcomes could not be recorded") != std::string::npos);
}

TEST_CASE("an outcome whose acknowledgement was lost is recorded once") {
  Pair pair;
  int runs = 0;
  pair.first.on("a", ends(JobOutcome::done(Bytes::literal("x")), &runs));
  pair.sim.start();
  pair.faulty.lose_settles = 1;
  const JobId id = pair.enqueue("a");
  pair.sim.advance(10s);
  CHECK(pair.info(id).state == JobState::completed);
  CHECK(pair.faulty.settles == 2);
  CHECK(runs == 1);
}

TEST_CASE("a claim whose answer was lost costs no job and none of its attempts") {
  Pair pair({.concurrency = 2, .max_attempts = 1, .lease = 2s, .timeout = 15min});
  int runs = 0;
  pair.first.on("a", ends(JobOutcome::done(), &runs));
  pair.sim.start();
  pair.faulty.lose_claims = 1;
  const JobId id = pair.enqueue("a");
  pair.sim.run_until_idle();
  CHECK(pair.info(id).state == JobState::running);
  pair.sim.advance(4s);
  CHECK(pair.info(id).state == JobState::completed);
  CHECK(pair.info(id).attempt == 2);
  CHECK(pair.info(id).crashes == 0);
  CHECK(runs == 1);
  CHECK(pair.log.find("claim was not answered") != std::string::npos);
}

TEST_CASE("what a claim brings that heartbeats overtake is not given back") {
  Pair pair({.concurrency = 2, .lease = 2s});
  int runs = 0;
  pair.first.on("a", ends(JobOutcome::done(), &runs));
  pair.faulty.slow_claims = 5s;
  pair.sim.start();
  const JobId id = pair.enqueue("a");
  pair.sim.advance(100ms);
  REQUIRE(pair.faulty.claims == 1);
  pair.faulty.slow_claims = Duration(0);
  const int beats = pair.faulty.heartbeats;
  pair.sim.advance(4s);
  REQUIRE(pair.faulty.heartbeats - beats >= 4);
  CHECK(pair.info(id).state == JobState::running);
  pair.sim.advance(4s);
  CHECK(pair.info(id).state == JobState::completed);
  CHECK(pair.info(id).attempt == 1);
  CHECK(runs == 1);
  CHECK(pair.log.find("claim was not answered") == std::string::npos);
}

TEST_CASE("jobs of a lost claim are given back while others come and go") {
  Pair pair({.concurrency = 4, .max_attempts = 1, .lease = 2s, .timeout = 15min});
  int runs = 0;
  pair.first.on("a", [&](const Context& ctx, const Job&) -> Async<JobOutcome> {
    ++runs;
    const Result<void> slept = co_await sleep(ctx, 300ms);
    co_return JobOutcome::from(slept);
  });
  pair.sim.start();
  std::vector<JobId> ids;
  for (int i = 0; i < 60; ++i) {
    if (i == 20) pair.faulty.lose_claims = 1;
    ids.push_back(pair.enqueue("a"));
    pair.sim.advance(100ms);
  }
  pair.sim.advance(4s);
  int second_attempts = 0;
  for (const JobId id : ids) {
    const JobInfo info = pair.info(id);
    CHECK(info.state == JobState::completed);
    CHECK(info.crashes == 0);
    second_attempts += info.attempt == 2 ? 1 : 0;
  }
  CHECK(runs == 60);
  CHECK(pair.faulty.lose_claims == 0);
  CHECK(second_attempts >= 1);
  CHECK(second_attempts <= 4);
}

TEST_CASE("a job whose outcome cannot be recorded waits for its timeout, not for a heartbeat") {
  Pair pair({.concurrency = 2, .max_attempts = 2, .lease = 2s, .timeout = 30s});
  int runs = 0;
  pair.first.on("a", ends(JobOutcome::done(), &runs));
  pair.sim.start();
  pair.faulty.refuse_outcomes = true;
  const JobId id = pair.enqueue("a");
  pair.sim.advance(20s);
  CHECK(runs == 1);
  CHECK(pair.info(id).state == JobState::running);
  pair.faulty.refuse_outcomes = false;
  pair.sim.advance(20s);
  CHECK(runs == 2);
  CHECK(pair.info(id).state == JobState::completed);
}

TEST_CASE("jobs of a claim that was answered after the lease was lost are not begun") {
  Pair pair;
  int runs = 0;
  pair.first.on("a", ends(JobOutcome::done(), &runs));
  pair.faulty.slow_claims = 8s;
  pair.sim.start();
  const JobId id = pair.enqueue("a");
  pair.sim.advance(100ms);
  REQUIRE(pair.faulty.claims == 1);
  pair.faulty.slow_claims = Duration(0);
  pair.faulty.deaf = true;
  pair.sim.advance(4s);
  REQUIRE(pair.log.find("lease of this worker is lost") != std::string::npos);
  pair.faulty.deaf = false;
  pair.sim.advance(2s);
  REQUIRE(pair.faulty.claims == 1);
  pair.sim.advance(10s);
  CHECK(pair.info(id).state == JobState::completed);
  CHECK(pair.info(id).attempt == 2);
  CHECK(runs == 1);
  CHECK(pair.log.find("came too late") == std::string::npos);
}

TEST_CASE("a store whose clock is behind is not asked for due jobs in a circle") {
  Pair pair;
  pair.first.on("a", ends(JobOutcome::done()));
  pair.faulty.clock_behind = true;
  pair.sim.start();
  pair.sim.advance(10s);
  CHECK(pair.faulty.maintains >= 10);
  CHECK(pair.faulty.maintains <= 20);
}

TEST_CASE("a store that is down is asked now and then, not in a circle") {
  Pair pair({.concurrency = 2, .lease = 1min});
  pair.first.on("a", ends(JobOutcome::done()));
  pair.sim.start();
  const JobId id = pair.enqueue("a");
  pair.sim.run_until_idle();
  pair.faulty.down = true;
  pair.enqueue("a");
  const int before = pair.faulty.claims + pair.faulty.backlogs;
  pair.sim.advance(10s);
  CHECK(pair.faulty.claims + pair.faulty.backlogs - before < 60);
  pair.faulty.down = false;
  pair.sim.advance(3s);
  CHECK(pair.info(id).state == JobState::completed);
}

TEST_CASE("an idle worker asks the store as often as it is told to") {
  Pair pair({.concurrency = 2, .lease = 30s, .poll = 1s});
  pair.first.on("a", ends(JobOutcome::done()));
  pair.sim.start();
  pair.sim.advance(1s);
  const int before = pair.faulty.backlogs;
  const int beats = pair.faulty.heartbeats;
  pair.sim.advance(60s);
  CHECK(pair.faulty.backlogs - before <= 61);
  CHECK(pair.faulty.claims == 0);
  CHECK(pair.faulty.heartbeats - beats == 6);
}

TEST_CASE("a backlog that was read beside a claim does not make the next job wait") {
  Pair pair({.concurrency = 2, .lease = 30s});
  pair.faulty.sees_no_claims = true;
  int ran = 0;
  pair.first.on("a", [&ran](const Context&, const Job&) -> Async<JobOutcome> {
    ++ran;
    co_return JobOutcome::done();
  });
  pair.sim.start();
  pair.sim.run_until_idle();
  for (int i = 1; i <= 3; ++i) {
    pair.enqueue("a");
    pair.sim.run_until_idle();
    CHECK(ran == i);
  }
}

TEST_CASE("outcomes that come together are told together") {
  Pair pair({.concurrency = 50, .lease = 30s});
  pair.first.on("a", takes(1s));
  for (int i = 0; i < 50; ++i) {
    const std::vector<NewJob> one{NewJob(testing::kTenant, "a", Bytes())};
    pair.sim.run_until_idle();
    REQUIRE(block_on(pair.sim.runtime(), pair.store.enqueue(pair.ctx, one)).ok());
  }
  pair.sim.start();
  pair.sim.advance(2s);
  CHECK(pair.faulty.settled == 50);
  CHECK(pair.faulty.settles <= 3);
}

TEST_CASE("what kills its worker again and again is quarantined") {
  Pair pair({.concurrency = 1, .max_attempts = 100, .max_crashes = 3, .lease = 1s});
  pair.first.on("poison", [&](const Context& ctx, const Job&) -> Async<JobOutcome> {
    pair.faulty.down = true;  // as the process would be
    const Result<void> slept = co_await sleep(ctx, 1h);
    co_return slept.error();
  });
  pair.second.on("other", ends(JobOutcome::done()));
  pair.sim.start();
  const JobId id = pair.enqueue("poison");
  for (int crash = 0; crash < 3; ++crash) {
    pair.sim.advance(3s);
    pair.faulty.down = false;
    pair.sim.advance(3s);
  }
  pair.sim.advance(10s);
  CHECK(pair.info(id).state == JobState::discarded);
  CHECK(pair.info(id).crashes == 3);
}

TEST_CASE("a drain waits for the jobs that a claim on its way brings") {
  Pair pair;
  int runs = 0;
  pair.first.on("a", ends(JobOutcome::done(), &runs));
  pair.faulty.slow_claims = 1s;
  pair.sim.start();
  const JobId id = pair.enqueue("a");
  pair.sim.advance(100ms);
  REQUIRE(pair.faulty.claims == 1);
  bool drained = false;
  const auto drain = [&](const Context& ctx) -> Async<void> {
    const Result<void> done = co_await pair.first.drain(ctx);
    drained = done.ok();
    co_return done;
  };
  spawn(pair.sim.runtime(), pair.ctx, drain);
  pair.sim.advance(500ms);
  CHECK_FALSE(drained);
  pair.sim.advance(1s);
  CHECK(drained);
  CHECK(runs == 1);
  CHECK(pair.info(id).state == JobState::completed);
}
