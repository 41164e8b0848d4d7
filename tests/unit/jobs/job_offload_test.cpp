// Large inputs and results in objects: who owns them, and what is left after crashes.
#include "unit/jobs/faulty_job_store.hpp"
#include "unit/jobs/object_shelf.hpp"
#include "unit/jobs/queue_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::ends;
using testing::takes;

namespace {

constexpr std::size_t kAbove = 1024;

std::string large(char with = 'x') { return std::string(kAbove + 1, with); }

/// A queue over a store that can fail, and a shelf for what is large.
struct Bench {
  explicit Bench(JobQueueOptions options = {})
      : telemetry({.log_sink = [this](LogLevel, std::string_view line) { log += line; }}),
        sim({.telemetry = &telemetry}),
        shelf(sim.clock()),
        store({.clock = &sim.clock()}),
        faulty(store),
        jobs(sim.runtime(), faulty, store, with(std::move(options))) {}

  JobQueueOptions with(JobQueueOptions options) {
    options.offload.objects = &shelf;
    options.offload.above = kAbove;
    return options;
  }
  Result<Enqueued> try_enqueue(std::string_view input, std::string_view kind = "echo") {
    NewJob job = jobs.make(ctx, kind, Bytes::copy(input));
    job.unique = unique;
    job.max_waiting = max_waiting;
    return block_on(sim.runtime(), jobs.enqueue(ctx, job));
  }
  JobId enqueue(std::string_view input, std::string_view kind = "echo") {
    return try_enqueue(input, kind).value().id;
  }
  Result<JobInfo> get(JobId id) { return block_on(sim.runtime(), jobs.get(ctx, id)); }
  /// As the store has it.
  JobInfo stored(JobId id) {
    return block_on(sim.runtime(), store.get(ctx, testing::kTenant, id)).value();
  }
  Bytes stored_input(JobId id) {
    return block_on(sim.runtime(), store.input(ctx, testing::kTenant, id)).value();
  }
  std::size_t objects() const { return shelf.objects.size(); }

  std::string log;
  Telemetry telemetry;
  testing::SimRuntime sim;
  testing::ObjectShelf shelf;
  MemoryJobStore store;
  testing::FaultyJobStore faulty;
  Context ctx = testing::context_of(testing::kTenant);
  std::optional<JobUnique> unique;
  std::int64_t max_waiting = 0;
  JobQueue jobs;
};

}  // namespace

TEST_CASE("large inputs and results lie in objects, small ones in rows") {
  Bench bench;
  bench.jobs.on("echo", takes(0ms));
  const JobId small = bench.enqueue(std::string(kAbove, 's'));
  CHECK(bench.objects() == 0);
  const JobId big = bench.enqueue(large());
  CHECK(bench.objects() == 1);
  CHECK(bench.stored_input(big).size() < 100);
  bench.sim.start();
  bench.sim.run_until_idle();
  CHECK(bench.objects() == 2);
  CHECK(bench.get(small).value().result->text() == std::string(kAbove, 's'));
  CHECK(bench.stored(big).result->size() < 100);
  CHECK(bench.get(big).value().result->text() == large());
  CHECK(block_on(bench.sim.runtime(), bench.jobs.input(bench.ctx, big)).value().text() == large());
}

TEST_CASE("objects hold what the codec gives") {
  const auto turn = [](const TenantId&, const Bytes& bytes) -> Result<Bytes> {
    std::string text = bytes.to_string();
    std::reverse(text.begin(), text.end());
    return Bytes::adopt(std::move(text));
  };
  Bench bench({.codec = {.encode = turn, .decode = turn}});
  bench.jobs.on("echo", takes(0ms));
  const JobId id = bench.enqueue("a" + large());
  REQUIRE(bench.objects() == 1);
  CHECK(bench.shelf.objects.begin()->second.content.text() == large() + "a");
  bench.sim.start();
  bench.sim.run_until_idle();
  CHECK(bench.get(id).value().result->text() == "a" + large());
}

TEST_CASE("the inputs of jobs that follow are stored like others, whatever the outcome") {
  const auto turn = [](const TenantId&, const Bytes& bytes) -> Result<Bytes> {
    std::string text = bytes.to_string();
    std::reverse(text.begin(), text.end());
    return Bytes::adopt(std::move(text));
  };
  Bench bench({.codec = {.encode = turn, .decode = turn}});
  std::vector<std::string> seen;
  bench.jobs.on("echo", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    seen.push_back(job.input().to_string());
    co_return JobOutcome::done();
  });
  const auto follow = [&](JobOutcome outcome, std::string input) {
    return std::move(outcome).then(
        NewJob(testing::kTenant, "echo", Bytes::adopt(std::move(input))));
  };
  bench.jobs.on("small", ends(follow(JobOutcome::cancel("for the next one"), "abc")));
  bench.jobs.on("large", ends(follow(JobOutcome::done(), "a" + large())));
  bench.sim.start();
  bench.enqueue("", "small");
  bench.enqueue("", "large");
  bench.sim.advance(2s);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] == "abc");
  CHECK(seen[1] == "a" + large());
  CHECK(bench.objects() == 1);
}

TEST_CASE("a payload that looks like a reference is itself") {
  Bench bench;
  bench.jobs.on("echo", takes(0ms));
  bench.sim.start();
  bench.enqueue(large());
  const std::string name = bench.shelf.objects.begin()->first.name();
  const std::string forged = std::string(JobReader::kReferenceMark) + name;
  const JobId once = bench.enqueue(forged);
  const std::string escaped = bench.stored_input(once).to_string();
  const JobId twice = bench.enqueue(escaped);
  bench.sim.run_until_idle();
  CHECK(bench.get(once).value().result->text() == forged);
  CHECK(bench.get(twice).value().result->text() == escaped);
}

TEST_CASE("a tenant cannot reach another one's object, even by its name") {
  Bench bench;
  bench.jobs.on("echo", takes(0ms));
  bench.enqueue(large());
  const std::string name = bench.shelf.objects.begin()->first.name();
  const TenantId other("other");
  const Bytes forged = Bytes::copy(std::string(JobReader::kReferenceMark) + name);
  const std::vector<NewJob> jobs{NewJob(other, "echo", forged)};
  const auto made = block_on(bench.sim.runtime(), bench.store.enqueue(bench.ctx, jobs));
  bench.sim.start();
  bench.sim.run_until_idle();
  const auto info =
      block_on(bench.sim.runtime(), bench.store.get(bench.ctx, other, made.value().at(0).id));
  CHECK(info.value().state == JobState::discarded);
}

TEST_CASE("what the store refuses, or has already, leaves no object") {
  Bench bench;
  bench.max_waiting = 1;
  REQUIRE(bench.try_enqueue("first", "nobody's").ok());
  CHECK(bench.try_enqueue(large(), "nobody's").error().code() == Errc::overloaded);
  CHECK(bench.objects() == 0);
  bench.max_waiting = 0;
  bench.unique = JobUnique("key");
  CHECK_FALSE(bench.try_enqueue(large(), "nobody's").value().existing);
  CHECK(bench.try_enqueue(large(), "nobody's").value().existing);
  CHECK(bench.objects() == 1);
}

TEST_CASE("an enqueue does not wait for each object that cannot be dropped now") {
  Bench bench;
  bench.unique = JobUnique("key");
  REQUIRE(bench.try_enqueue("first", "nobody's").ok());
  std::vector<NewJob> jobs;
  for (int i = 0; i < 10; ++i) {
    jobs.push_back(bench.jobs.make(bench.ctx, "nobody's", Bytes::adopt(large())));
    jobs.back().unique = bench.unique;
  }
  int removes = 0;
  bench.shelf.on_remove = [&] {
    ++removes;
    bench.sim.clock().advance(3s);
  };
  CHECK(block_on(bench.sim.runtime(), bench.jobs.enqueue(bench.ctx, jobs)).ok());
  CHECK(removes == 2);
}

TEST_CASE("a reference to an object outside the prefix is not followed") {
  Bench bench;
  const StoreKey hosts(testing::kTenant, "the-hosts-own");
  bench.shelf.objects[hosts] = {Bytes::literal("secret"), {}};
  const Bytes forged = Bytes::copy(std::string(JobReader::kReferenceMark) + hosts.name());
  const std::vector<NewJob> jobs{NewJob(testing::kTenant, "echo", forged)};
  const auto made = block_on(bench.sim.runtime(), bench.store.enqueue(bench.ctx, jobs));
  const JobId id = made.value().at(0).id;
  CHECK(block_on(bench.sim.runtime(), bench.jobs.input(bench.ctx, id)).error().code() ==
        Errc::unavailable);
  CHECK(bench.shelf.gets == 0);
}

TEST_CASE("of jobs that are enqueued together none is when an object cannot be put") {
  Bench bench;
  bench.shelf.down = true;
  CHECK(bench.try_enqueue("small", "nobody's").ok());
  CHECK(bench.try_enqueue(large(), "nobody's").error().code() == Errc::unavailable);
  const auto listed = block_on(bench.sim.runtime(), bench.jobs.list(bench.ctx, {}));
  CHECK(listed.value().size() == 1);
}

TEST_CASE("an object whose job was never committed is deleted, those of waiting jobs are not") {
  Bench bench;
  bench.jobs.on("other", ends(JobOutcome::done()));
  bench.sim.start();
  const JobId waiting = bench.enqueue(large('w'));
  bench.faulty.fail_enqueues = 1;
  CHECK(bench.try_enqueue(large('l')).error().code() == Errc::unavailable);
  REQUIRE(bench.objects() == 2);
  bench.sim.advance(59min);
  CHECK(bench.objects() == 2);
  bench.sim.advance(22min);
  CHECK(bench.objects() == 1);
  bench.sim.advance(5h);
  CHECK(block_on(bench.sim.runtime(), bench.jobs.input(bench.ctx, waiting)).value().text() ==
        large('w'));
  CHECK(bench.log.find("could not be deleted") == std::string::npos);
}

TEST_CASE("objects go when their job is forgotten, and others under the same roof stay") {
  Bench bench;
  bench.jobs.on("echo", takes(0ms));
  bench.shelf.objects[StoreKey(testing::kTenant, "job")] = {Bytes::literal("the host's"), {}};
  bench.sim.start();
  bench.enqueue(large());
  bench.sim.run_until_idle();
  REQUIRE(bench.objects() == 3);
  bench.sim.advance(59min);  // a finished job is kept for an hour
  CHECK(bench.objects() == 3);
  bench.sim.advance(90min);
  CHECK(bench.objects() == 1);
}

TEST_CASE("the first sweep is soon, and what it suspects goes with the second") {
  Bench bench;
  bench.jobs.on("echo", takes(0ms));
  bench.shelf.objects[StoreKey(testing::kTenant, "jobs/orphan")] = {Bytes::literal("old"), {}};
  bench.sim.start();
  bench.sim.advance(150s);
  CHECK(bench.shelf.lists == 2);
  CHECK(bench.objects() == 1);
  bench.sim.advance(10min);
  CHECK(bench.objects() == 0);
}

TEST_CASE("an object whose job comes back between two sweeps stays") {
  Bench bench;
  bench.jobs.on("other", ends(JobOutcome::done()));
  const std::string name = "jobs/of-a-job-that-a-crash-brings-back";
  bench.shelf.objects[StoreKey(testing::kTenant, name)] = {Bytes::literal("input"), {}};
  bench.sim.start();
  bench.sim.advance(150s);
  REQUIRE(bench.shelf.lists == 2);
  const Bytes reference = Bytes::copy(std::string(JobReader::kReferenceMark) + name);
  const std::vector<NewJob> jobs{NewJob(testing::kTenant, "nobody's", reference)};
  const auto back = block_on(bench.sim.runtime(), bench.store.enqueue(bench.ctx, jobs));
  bench.sim.advance(1h);
  CHECK(bench.objects() == 1);
  const JobId id = back.value().at(0).id;
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.cancel(bench.ctx, id)).ok());
  bench.sim.advance(90min);
  CHECK(bench.objects() == 0);
}

TEST_CASE("an object that cannot be removed does not keep those behind it") {
  Bench bench;
  bench.jobs.on("echo", takes(0ms));
  for (const char* name : {"jobs/a", "jobs/b", "jobs/c"}) {
    bench.shelf.objects[StoreKey(testing::kTenant, name)] = {Bytes::literal("old"), {}};
  }
  bench.shelf.immutable = "jobs/b";
  bench.sim.start();
  bench.sim.advance(15min);
  CHECK(bench.objects() == 1);
  CHECK(bench.log.find("no job refers to could not be deleted") != std::string::npos);
  bench.shelf.immutable.clear();
  bench.sim.advance(10min);
  CHECK(bench.objects() == 0);
}

TEST_CASE("a dead letter keeps its input until it is redriven") {
  Bench bench;
  bool good = false;
  bench.jobs.on("echo", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    if (!good) co_return JobOutcome::discard(Error(Errc::internal, "not yet"));
    co_return JobOutcome::done(job.input());
  });
  bench.sim.start();
  const JobId id = bench.enqueue(large());
  bench.sim.advance(55min);
  good = true;
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.redrive(bench.ctx, id)).ok());
  bench.sim.advance(30min);
  CHECK(bench.get(id).value().result->text() == large());
}

TEST_CASE("a missing object discards its job and says why, and a missing result is told") {
  Bench bench;
  bench.jobs.on("echo", takes(0ms));
  const JobId lost = bench.enqueue(large());
  bench.shelf.objects.clear();
  bench.sim.start();
  const JobId fine = bench.enqueue(large());
  bench.sim.run_until_idle();
  CHECK(bench.get(lost).value().state == JobState::discarded);
  CHECK(bench.get(lost).value().error == "data_loss: the object that holds the payload is gone");
  REQUIRE(bench.get(fine).value().state == JobState::completed);
  bench.shelf.objects.clear();
  CHECK(bench.get(fine).error().code() == Errc::data_loss);
}

TEST_CASE("an input that cannot be reached now is waited for, and no attempt is used") {
  Bench bench({.max_attempts = 1});
  bench.jobs.on("echo", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    CHECK(job.last_attempt());
    co_return JobOutcome::done(job.input());
  });
  const JobId id = bench.enqueue(large());
  bench.shelf.failing_gets = 20;
  bench.sim.start();
  bench.sim.run_until_idle();
  CHECK(bench.stored(id).state == JobState::scheduled);
  CHECK(bench.stored(id).error == "unavailable: the shelf is down");
  CHECK(bench.log.find("the input of a job cannot be read now; it waits") != std::string::npos);
  bench.sim.advance(10min);
  CHECK(bench.stored(id).state == JobState::scheduled);
  CHECK(bench.shelf.failing_gets >= 3);
  bench.sim.advance(15min);
  CHECK(bench.get(id).value().state == JobState::completed);
}

TEST_CASE("a result that cannot be put now makes the job wait, and no attempt is used") {
  Bench bench({.max_attempts = 1});
  int runs = 0;
  bench.jobs.on("small to large", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    ++runs;
    CHECK(job.last_attempt());
    co_return JobOutcome::done(Bytes::adopt(large()));
  });
  const JobId id = bench.enqueue("", "small to large");
  bench.shelf.down = true;
  bench.sim.start();
  bench.sim.run_until_idle();
  CHECK(bench.stored(id).state == JobState::scheduled);
  CHECK(bench.stored(id).error == "unavailable: the shelf is down");
  CHECK(bench.log.find("the result of a job cannot be stored now") != std::string::npos);
  bench.sim.advance(10min);
  CHECK(runs >= 10);
  CHECK(runs <= 20);
  bench.shelf.down = false;
  bench.sim.advance(1min);
  CHECK(bench.get(id).value().result->text() == large());
}

TEST_CASE("a result that is refused is the job's failure, at once") {
  for (const Errc code : {Errc::too_large, Errc::invalid_argument, Errc::permission_denied}) {
    Bench bench;
    bench.jobs.on("small to large", ends(JobOutcome::done(Bytes::adopt(large()))));
    bench.shelf.refuses_puts = Error(code, "not this");
    const JobId id = bench.enqueue("", "small to large");
    bench.sim.start();
    bench.sim.run_until_idle();
    CHECK(bench.stored(id).state == JobState::discarded);
    CHECK(bench.stored(id).error.find("not this") != std::string::npos);
  }
}

TEST_CASE("a handler does not run for ever because its result can never be put") {
  Bench bench({.max_attempts = 3});
  int runs = 0;
  bench.jobs.on("small to large", [&](const Context&, const Job&) -> Async<JobOutcome> {
    ++runs;
    co_return JobOutcome::done(Bytes::adopt(large()));
  });
  bench.shelf.refuses_puts = Error(Errc::unavailable, "read-only");
  const JobId id = bench.enqueue("", "small to large");
  bench.sim.start();
  bench.sim.advance(1h);
  CHECK(bench.stored(id).state == JobState::scheduled);
  bench.sim.advance(1h);
  CHECK(bench.stored(id).state == JobState::discarded);
  CHECK(runs == 103);
}

TEST_CASE("a large result that is answered at the soft timeout is kept, like a small one") {
  Bench bench({.max_attempts = 1});
  const JobKindOptions options{.timeout = 5s, .soft_timeout = 50ms};
  bench.jobs.on("echo", options, [](const Context& ctx, const Job& job) -> Async<JobOutcome> {
    CHECK(!(co_await sleep(ctx, 1h)).ok());
    co_return JobOutcome::done(job.input());
  });
  const JobId id = bench.enqueue(large());
  bench.sim.start();
  bench.sim.advance(1s);
  CHECK(bench.get(id).value().result->text() == large());
}

TEST_CASE("a process without the object store leaves the job to others") {
  Bench bench;
  const JobId id = bench.enqueue(large());
  JobQueue without(bench.sim.runtime(), bench.store, {.name = "without", .max_attempts = 1});
  without.on("echo", takes(0ms));
  bench.sim.start();
  bench.sim.advance(1h);
  CHECK(bench.stored(id).state == JobState::scheduled);
  CHECK(bench.stored(id).error.find("object store that is not given here") != std::string::npos);
}

TEST_CASE("a sweep that fails is told and tried again") {
  Bench bench;
  bench.jobs.on("echo", takes(0ms));
  bench.sim.start();
  bench.faulty.fail_enqueues = 1;
  CHECK_FALSE(bench.try_enqueue(large()).ok());
  bench.shelf.down = true;
  bench.sim.advance(2h);
  CHECK(bench.log.find("no job refers to could not be deleted") != std::string::npos);
  CHECK(bench.shelf.lists <= 18);
  bench.shelf.down = false;
  bench.sim.advance(20min);
  CHECK(bench.objects() == 0);
}

TEST_CASE("outcomes that wait for a store too long do not refer to swept objects") {
  Bench bench({.lease = 2s, .timeout = 10h});
  int runs = 0;
  bench.jobs.on("first", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    ++runs;
    co_return JobOutcome::done(Bytes::literal("small"))
        .then(NewJob(testing::kTenant, "second", job.input()));
  });
  bench.sim.start();
  bench.sim.run_until_idle();
  bench.faulty.refuse_settles = true;
  const JobId id = bench.enqueue(large(), "first");
  bench.sim.advance(29min);
  CHECK(runs == 1);
  bench.sim.advance(2min);
  CHECK(bench.log.find("an outcome waited too long for the store") != std::string::npos);
  bench.faulty.refuse_settles = false;
  bench.sim.advance(1min);
  CHECK(runs == 2);
  CHECK(bench.stored(id).state == JobState::completed);
  bench.sim.advance(20min);
  const auto listed = block_on(bench.sim.runtime(), bench.jobs.list(bench.ctx, {}));
  REQUIRE(listed.value().size() == 2);
  const auto input = block_on(bench.sim.runtime(), bench.jobs.input(bench.ctx, listed->at(0).id));
  CHECK(input.value().text() == large());
}
