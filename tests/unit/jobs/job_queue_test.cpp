// What becomes of jobs under a JobQueue: outcomes, retries, timeouts, cancellation, shutdown.
#include <algorithm>

#include "unit/jobs/queue_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::ends;
using testing::QueueBench;
using testing::takes;

namespace {

const Error kBusy(Errc::unavailable, "busy");

}  // namespace

TEST_CASE("a job runs once and its result is kept") {
  QueueBench bench;
  int runs = 0;
  bench.jobs.on("echo", [&](const Context& ctx, const Job& job) -> Async<JobOutcome> {
    ++runs;
    CHECK(ctx.tenant().id() == testing::kTenant);
    CHECK(ctx.priority() == Priority::background);
    CHECK(ctx.idempotency_key() == "job-" + std::to_string(job.id().value()));
    CHECK(job.attempt() == 1);
    CHECK(job.kind() == "echo");
    co_return JobOutcome::done(job.input());
  });
  bench.sim.start();
  const JobId id = bench.enqueue("echo", "hello");
  bench.sim.run_until_idle();
  const JobInfo info = bench.info(id);
  CHECK(info.state == JobState::completed);
  CHECK(info.result->text() == "hello");
  bench.sim.advance(10s);
  CHECK(runs == 1);
}

TEST_CASE("a job without a handler here waits for a process that has one") {
  QueueBench bench;
  bench.jobs.on("a", ends(JobOutcome::done()));
  bench.sim.start();
  const JobId other = bench.enqueue("b");
  const JobId newer = bench.enqueue(job_kind("a", 2));
  bench.sim.advance(10s);
  CHECK(bench.state(other) == JobState::available);
  CHECK(bench.state(newer) == JobState::available);
}

TEST_CASE("jobs are of the highest version that has a handler here, and each version has its own") {
  QueueBench bench;
  int old_runs = 0;
  int new_runs = 0;
  bench.jobs.on("a", ends(JobOutcome::done(), &old_runs));
  bench.jobs.on("a", {.version = 2}, ends(JobOutcome::done(), &new_runs));
  CHECK_THROWS_AS(bench.jobs.on("a", {.version = 2}, ends(JobOutcome::done())), ConfigError);
  bench.sim.start();
  bench.enqueue("a");
  bench.enqueue(NewJob(testing::kTenant, "a", Bytes()));
  bench.sim.run_until_idle();
  CHECK(new_runs == 1);
  CHECK(old_runs == 1);
}

TEST_CASE("a retry waits for its backoff and ends as a dead letter when attempts are used up") {
  QueueBench bench({.max_attempts = 3, .backoff = {.first = 10s, .longest = 1min}});
  int runs = 0;
  bench.jobs.on("fails", ends(JobOutcome::retry(kBusy), &runs));
  bench.sim.start();
  const JobId id = bench.enqueue("fails");
  bench.sim.run_until_idle();
  CHECK(runs == 1);
  CHECK(bench.state(id) == JobState::retryable);
  bench.sim.advance(10s);
  CHECK(runs >= 2);
  bench.sim.advance(20s);
  CHECK(runs == 3);
  const JobInfo dead = bench.info(id);
  CHECK(dead.state == JobState::discarded);
  CHECK(dead.error == "unavailable: busy");
}

TEST_CASE("a retry never comes before the time that the error names") {
  QueueBench bench({.backoff = {.first = 1ms, .longest = 1ms}});
  int runs = 0;
  bench.jobs.on("fails", ends(JobOutcome::retry(Error(kBusy).retry_after(30s)), &runs));
  bench.sim.start();
  bench.enqueue("fails");
  bench.sim.advance(29s);
  CHECK(runs == 1);
  bench.sim.advance(2s);
  CHECK(runs == 2);
}

TEST_CASE("a retry can name its time, and a snooze uses no attempt") {
  QueueBench bench({.max_attempts = 2});
  int runs = 0;
  bench.jobs.on("later", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    ++runs;
    if (runs <= 5) co_return JobOutcome::snooze_until(bench.in(1min));
    if (!job.last_attempt()) co_return JobOutcome::retry_at(bench.in(1h), kBusy);
    co_return JobOutcome::done();
  });
  bench.sim.start();
  const JobId id = bench.enqueue("later");
  bench.sim.advance(5min + 1s);
  CHECK(runs == 6);
  bench.sim.advance(59min);
  CHECK(runs == 6);
  bench.sim.advance(1min);
  CHECK(runs == 7);
  CHECK(bench.state(id) == JobState::completed);
}

TEST_CASE("an error of a handler is retried if its code is retryable, else it discards the job") {
  QueueBench bench({.backoff = {.first = 1h, .longest = 1h}});
  const auto failing = [](Errc code) -> JobHandler {
    return [code](const Context&, const Job&) -> Async<JobOutcome> { co_return Error(code, "no"); };
  };
  bench.jobs.on("overloaded", failing(Errc::overloaded))
      .on("invalid", failing(Errc::invalid_argument))
      .on("throws",
          [](const Context&, const Job&) -> Async<JobOutcome> {
            throw std::runtime_error("bug");
            co_return JobOutcome::done();
          })
      .on("unwraps", [](const Context&, const Job&) -> Async<JobOutcome> {
        const Result<int> missing = Error(Errc::not_found, "no such image");
        co_return JobOutcome::done(Bytes::copy(std::to_string(missing.value())));
      });
  bench.sim.start();
  const JobId overloaded = bench.enqueue("overloaded");
  const JobId invalid = bench.enqueue("invalid");
  const JobId throws = bench.enqueue("throws");
  const JobId unwraps = bench.enqueue("unwraps");
  bench.sim.run_until_idle();
  CHECK(bench.state(overloaded) == JobState::retryable);
  CHECK(bench.state(invalid) == JobState::discarded);
  CHECK(bench.info(invalid).error == "invalid_argument: no");
  CHECK(bench.state(throws) == JobState::retryable);
  CHECK(bench.info(unwraps).error == "not_found: no such image");
}

TEST_CASE("a handler can cancel its job, and enqueue others with its outcome") {
  QueueBench bench;
  int runs = 0;
  bench.jobs.on("pointless", ends(JobOutcome::cancel("nobody waits for it")))
      .on("first",
          [&](const Context& ctx, const Job&) -> Async<JobOutcome> {
            co_return JobOutcome::done().then(bench.jobs.make(ctx, "second", Bytes()));
          })
      .on("second", ends(JobOutcome::done(), &runs));
  bench.sim.start();
  const JobId id = bench.enqueue("pointless");
  bench.enqueue("first");
  bench.sim.run_until_idle();
  CHECK(bench.state(id) == JobState::cancelled);
  CHECK(runs == 1);
}

TEST_CASE("a delayed job starts when it is due, to the moment") {
  QueueBench bench;
  int runs = 0;
  bench.jobs.on("later", ends(JobOutcome::done(), &runs));
  bench.sim.start();
  NewJob job = bench.jobs.make(bench.ctx, "later", Bytes());
  job.run_at = bench.in(1h + 300ms);
  bench.enqueue(job);
  bench.sim.advance(1h + 299ms);
  CHECK(runs == 0);
  bench.sim.advance(1ms);
  CHECK(runs == 1);
}

TEST_CASE("no more jobs run at once than there are slots") {
  QueueBench bench({.concurrency = 3});
  bench.jobs.on("slow", takes(100ms));
  bench.sim.start();
  std::vector<JobId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(bench.enqueue("slow"));
  std::size_t most = 0;
  for (int i = 0; i < 50; ++i) {
    most = std::max(most, bench.jobs.snapshot().running);
    bench.sim.advance(10ms);
  }
  CHECK(most == 3);
  for (const JobId id : ids) CHECK(bench.state(id) == JobState::completed);
}

TEST_CASE("an attempt that takes too long is cancelled and tried again") {
  QueueBench bench({.backoff = {.first = 0ms, .longest = 0ms}});
  int runs = 0;
  const auto handler = [&](const Context& ctx, const Job&) -> Async<JobOutcome> {
    ++runs;
    if (runs > 1) co_return JobOutcome::done();
    const Result<void> slept = co_await sleep(ctx, 1h);
    CHECK(ctx.reason() == CancelReason::deadline);
    co_return slept.error();
  };
  bench.jobs.on("slow", {.timeout = 10s, .soft_timeout = 4s}, handler);
  bench.sim.start();
  const JobId id = bench.enqueue("slow");
  bench.sim.advance(3s);
  CHECK(runs == 1);
  bench.sim.advance(2s);
  CHECK(runs == 2);
  CHECK(bench.state(id) == JobState::completed);
}

TEST_CASE("a handler that ignores the end of its time loses the job, and is told of") {
  QueueBench bench({.concurrency = 2});
  int runs = 0;
  const Context& deaf = Context::background();
  const auto handler = [&](const Context&, const Job&) -> Async<JobOutcome> {
    if (++runs == 1) static_cast<void>(co_await sleep(deaf, 30min));
    co_return JobOutcome::done(Bytes::copy(std::to_string(runs)));
  };
  bench.jobs.on("deaf", {.timeout = 5s}, handler);
  bench.sim.start();
  const JobId id = bench.enqueue("deaf");
  bench.sim.advance(10s);
  CHECK(runs == 2);
  CHECK(bench.info(id).result->text() == "2");
  CHECK(bench.jobs.snapshot().stuck == 1);
  CHECK(bench.logged("runs on beyond its timeout"));
  bench.sim.advance(30min);
  CHECK(bench.info(id).result->text() == "2");
  CHECK(bench.jobs.snapshot().stuck == 0);
  CHECK(bench.logged("came too late"));
}

TEST_CASE("cancelling ends a waiting job at once and a running one as soon as it listens") {
  QueueBench bench({.concurrency = 1});
  bench.jobs.on("slow", takes(1h));
  bench.sim.start();
  const JobId running = bench.enqueue("slow");
  const JobId waiting = bench.enqueue("slow");
  bench.sim.run_until_idle();
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.cancel(bench.ctx, waiting)).ok());
  CHECK(bench.state(waiting) == JobState::cancelled);
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.cancel(bench.ctx, running)).ok());
  bench.sim.run_until_idle();
  CHECK(bench.state(running) == JobState::cancelled);
  CHECK(bench.jobs.snapshot().held == 0);
}

TEST_CASE("jobs of another tenant cannot be seen, cancelled or redriven") {
  QueueBench bench;
  bench.sim.start();
  const JobId id = bench.enqueue("a");
  const Context other = testing::context_of(TenantId("other"));
  const auto code = [&](Async<JobInfo> operation) {
    return block_on(bench.sim.runtime(), std::move(operation)).error().code();
  };
  CHECK(code(bench.jobs.get(other, id)) == Errc::not_found);
  CHECK(code(bench.jobs.cancel(other, id)) == Errc::not_found);
  CHECK(code(bench.jobs.redrive(other, id)) == Errc::not_found);
  const JobPage page;
  CHECK(block_on(bench.sim.runtime(), bench.jobs.list(other, page)).value().empty());
}

TEST_CASE("dead letters of a kind are redriven in bulk") {
  QueueBench bench;
  bool mended = false;
  int done = 0;
  const auto mendable = [&](const Context&, const Job&) -> Async<JobOutcome> {
    if (!mended) co_return JobOutcome::discard(kBusy);
    ++done;
    co_return JobOutcome::done();
  };
  bench.jobs.on("a", mendable)
      .on("a", {.version = 7}, mendable)
      .on("b", ends(JobOutcome::discard(kBusy)));
  bench.sim.start();
  for (int i = 0; i < 4; ++i) bench.enqueue(NewJob(testing::kTenant, "a", Bytes()));
  bench.enqueue(job_kind("a", 7));
  const JobId other = bench.enqueue("b");
  bench.sim.run_until_idle();
  mended = true;
  const auto redrive = [&](int limit) {
    return block_on(bench.sim.runtime(), bench.jobs.redrive_dead(bench.ctx, "a", limit));
  };
  CHECK(redrive(3).value() == 3);
  CHECK(redrive(100).value() == 2);
  CHECK(redrive(0).error().code() == Errc::invalid_argument);
  bench.sim.run_until_idle();
  CHECK(done == 5);
  CHECK(bench.state(other) == JobState::discarded);
}

TEST_CASE("a queue that is shut down lets handlers finish and gives the rest back") {
  QueueBench bench({.concurrency = 1});
  bench.jobs.on("slow", takes(1h));
  bench.sim.start();
  const JobId running = bench.enqueue("slow");
  const JobId waiting = bench.enqueue("slow");
  bench.sim.run_until_idle();
  CHECK(bench.state(running) == JobState::running);
  bench.sim.shutdown();
  // The store lives on; another process finds both ready, and no attempt used.
  testing::SimRuntime again;
  MemoryJobStore& store = bench.store;
  const auto state = [&](JobId id) {
    again.run_until_idle();
    return block_on(again.runtime(), store.get(bench.ctx, testing::kTenant, id)).value();
  };
  again.start();
  CHECK(state(running).state == JobState::available);
  CHECK(state(waiting).state == JobState::available);
  CHECK(state(running).crashes == 0);
}

TEST_CASE("inputs and results go through the codec") {
  const auto turn = [](const TenantId&, const Bytes& bytes) -> Result<Bytes> {
    std::string text = bytes.to_string();
    std::reverse(text.begin(), text.end());
    return Bytes::adopt(std::move(text));
  };
  QueueBench bench({.codec = {.encode = turn, .decode = turn}});
  bench.jobs.on("echo", takes(0ms));
  bench.sim.start();
  const JobId id = bench.enqueue("echo", "stressed");
  bench.sim.run_until_idle();
  CHECK(bench.info(id).result->text() == "stressed");
  const auto stored =
      block_on(bench.sim.runtime(), bench.store.get(bench.ctx, testing::kTenant, id));
  CHECK(stored.value().result->text() == "desserts");
}

TEST_CASE("a result beyond the limit discards the job, and harms none beside it") {
  QueueBench bench({.max_result = 4});
  bench.jobs.on("echo", takes(0ms));
  bench.sim.start();
  const JobId small = bench.enqueue("echo", "1234");
  const JobId large = bench.enqueue("echo", "12345");
  bench.sim.run_until_idle();
  CHECK(bench.state(small) == JobState::completed);
  CHECK(bench.info(large).error == "too_large: the result is larger than max_result");
}

TEST_CASE("an outcome that the store refuses is a dead letter, and harms none beside it") {
  QueueBench bench;
  NewJob broken(testing::kTenant, "", Bytes());
  bench.jobs.on("good", ends(JobOutcome::done())).on("bad", ends(JobOutcome::done().then(broken)));
  const JobId first = bench.enqueue("good");
  const JobId bad = bench.enqueue("bad");
  const JobId second = bench.enqueue("good");
  bench.sim.start();
  CHECK(bench.state(first) == JobState::completed);
  CHECK(bench.state(second) == JobState::completed);
  CHECK(bench.state(bad) == JobState::discarded);
}

TEST_CASE("a queue without slots only enqueues") {
  QueueBench bench({.concurrency = 0});
  bench.jobs.on("a", ends(JobOutcome::done()));
  bench.sim.start();
  const JobId id = bench.enqueue("a");
  bench.sim.advance(10s);
  CHECK(bench.state(id) == JobState::available);
  CHECK_FALSE(bench.jobs.snapshot().leased);
}

TEST_CASE("a trace goes from who enqueued a job to its handler") {
  QueueBench bench;
  const TraceParent trace = TraceParent::generate(true);
  TraceParent seen;
  bench.jobs.on("a", [&](const Context& ctx, const Job&) -> Async<JobOutcome> {
    seen = ctx.trace();
    co_return JobOutcome::done();
  });
  bench.sim.start();
  const Context traced = bench.ctx.with_trace(trace);
  const Bytes input;
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.enqueue(traced, "a", input)).ok());
  bench.sim.run_until_idle();
  CHECK(seen.trace_id() == trace.trace_id());
}

TEST_CASE("many jobs are enqueued together or not at all") {
  QueueBench bench({.max_waiting = 5});
  bench.sim.start();
  const auto enqueue = [&](std::size_t count) {
    const std::vector<NewJob> jobs(count, bench.jobs.make(bench.ctx, "a", Bytes()));
    return block_on(bench.sim.runtime(), bench.jobs.enqueue(bench.ctx, jobs));
  };
  CHECK(enqueue(3).value().size() == 3);
  const auto full = enqueue(3);
  CHECK(full.error().code() == Errc::overloaded);
  CHECK(full.error().retry_after());
  CHECK(enqueue(2).value().size() == 2);
  CHECK(bench.metric("aiserve_jobs_refused_total{queue=\"jobs\"}") == 1);
}
