// Three processes and their store in virtual time, with connections that fail, a process that dies,
// and handlers that do whatever handlers do. The same seed gives the same run.
#include <memory>

#include "aiserve/jobs/memory_job_store.hpp"
#include "core/random.hpp"
#include "unit/campaigns/unruly_store.hpp"
#include "unit/jobs/queue_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::Campaign;
using testing::Dice;
using testing::JobTruth;
using testing::kTenant;
using testing::UnrulyStore;

namespace {

constexpr int kConcurrency = 3;

JobQueueOptions options(const std::string& name) {
  return {.name = name,
          .concurrency = kConcurrency,
          .lease = 2s,
          .timeout = 3s,
          .backoff = {.first = 200ms, .longest = 2s},
          .poll = 500ms};
}

struct Process {
  Process(testing::SimRuntime& sim, MemoryJobStore& shared, Dice& dice, JobTruth& truth,
          const std::string& name)
      : store(shared, shared, dice, truth), jobs(sim.runtime(), store, shared, options(name)) {}

  UnrulyStore store;
  JobQueue jobs;
  int running = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed)
      : dice_(seed),
        telemetry_({.log_sink = [](LogLevel, std::string_view) {}}),
        sim_({.drain_timeout = 0ms, .telemetry = &telemetry_}),
        store_({.clock = &sim_.clock()}) {
    detail::seed_random(seed);
    for (const char* name : {"p0", "p1", "p2"}) {
      processes_.push_back(std::make_unique<Process>(sim_, store_, dice_, truth_, name));
      add_handlers(*processes_.back());
    }
    sim_.start();
  }

  void run_chaos() {
    for (int step = 0; step < 60; ++step) {
      act();
      sim_.advance(std::chrono::milliseconds(1 + dice_.roll(800)));
    }
  }

  void heal() {
    for (const auto& process : processes_) {
      if (process.get() == dead_) continue;
      process->store.faults = {};
      process->jobs.resume();
    }
    for (int minute = 0; minute < 60 && open() > 0; ++minute) sim_.advance(1min);
  }

  void check() {
    for (const JobInfo& job : all()) {
      CHECK(is_final(job.state));
      const JobTruth::Life& life = truth_.jobs[job.id];
      CHECK(life.outcomes <= 1 + life.redrives);
      if (job.state != JobState::completed) continue;
      const Bytes result = block_on(sim_.runtime(), store_.get(ctx_, kTenant, job.id))
                               .value()
                               .result.value_or(Bytes());
      CHECK(result.text() == signature(job.id, job.attempt));
      CHECK(life.started.count(job.attempt) == 1);
    }
    for (const auto& entry : truth_.jobs) {
      const JobId id = entry.first;
      const Result<JobInfo> job = block_on(sim_.runtime(), store_.get(ctx_, kTenant, id));
      CHECK_MESSAGE(job.ok(), "job ", id.value(), " is lost");
    }
  }

  std::string trace;

 private:
  static std::string signature(JobId id, int attempt) {
    return std::to_string(id.value()) + '/' + std::to_string(attempt);
  }

  void note(const std::string& what) {
    trace += std::to_string(sim_.clock().now().time_since_epoch().count()) + ' ' + what + '\n';
  }

  void add_handlers(Process& process) {
    process.jobs.on("any", [this, &process](const Context& ctx, const Job& job) {
      return handle(ctx, job, process);
    });
    process.jobs.on(
        "few", {.max_running = 2},
        [this, &process](const Context& ctx, const Job& job) { return handle(ctx, job, process); });
  }

  Async<JobOutcome> handle(const Context& ctx, const Job& job, Process& process) {
    CHECK_MESSAGE(truth_.jobs[job.id()].started.insert(job.attempt()).second,
                  "an attempt was started twice");
    CHECK(++process.running <= kConcurrency);
    note(signature(job.id(), job.attempt()) + " begins");
    const Result<JobOutcome> outcome = co_await behave(ctx, job);
    note(signature(job.id(), job.attempt()) + " ends");
    --process.running;
    if (!outcome) co_return outcome.error();
    if (outcome->kind() == JobOutcomeKind::snooze && dice_.once_in(50))
      throw std::runtime_error("x");
    co_return outcome;
  }

  Async<JobOutcome> behave(const Context& ctx, const Job& job) {
    const Bytes result = Bytes::copy(signature(job.id(), job.attempt()));
    const Error failed(Errc::internal, "failed");
    const WallTime soon = sim_.clock().wall_now() + 1s;
    const Duration length = std::chrono::milliseconds(dice_.roll(2'500));
    switch (dice_.roll(12)) {
      case 0:
        co_return JobOutcome::retry(failed);
      case 1:
        co_return JobOutcome::snooze_until(soon);
      case 2:
        co_return JobOutcome::discard(failed);
      case 3:
        co_return JobOutcome::cancel("pointless");
      case 4: {
        // Deaf to its cancellation, and too long by far.
        const Context deaf = Context::background();
        const Result<void> slept = co_await sleep(deaf, 10s);
        co_return slept ? JobOutcome::done(result) : JobOutcome::from(slept);
      }
      case 5:
      case 6:
      case 7: {
        const Result<void> slept = co_await sleep(ctx, length);
        if (!slept) co_return slept.error();
        co_return JobOutcome::done(result);
      }
      case 8: {
        JobOutcome done = JobOutcome::done(result);
        if (job.attempt() == 1) done.then(NewJob(kTenant, "any", Bytes::literal("next")));
        co_return done;
      }
      default:
        co_return JobOutcome::done(result);
    }
  }

  NewJob any_job() {
    NewJob job(kTenant, dice_.once_in(3) ? "few" : "any", Bytes::literal("in"));
    job.max_attempts = 1 + dice_.roll(4);
    job.max_crashes = 1 + dice_.roll(3);
    job.timeout = std::chrono::milliseconds(500 + dice_.roll(4'000));
    job.priority = dice_.roll(NewJob::kPriorities);
    if (dice_.once_in(3)) job.run_at = sim_.clock().wall_now() + 5s;
    if (dice_.once_in(6)) job.start_before = sim_.clock().wall_now() + 8s;
    if (dice_.once_in(3)) {
      const int key = dice_.roll(3);
      job.order_key = job.kind + std::to_string(key);
      // One key strictly, one by three at a time, one by jobs that do not agree.
      job.order_concurrency = key == 0 ? 1 : key == 1 ? 3 : 1 + dice_.roll(4);
    }
    if (dice_.once_in(4)) job.unique = JobUnique(job.kind + std::to_string(dice_.roll(4)));
    return job;
  }

  void act() {
    Process& process = *processes_[dice_.below(processes_.size())];
    switch (dice_.roll(9)) {
      case 0:
        process.store.faults = {
            .fail = dice_.roll(8), .lose_answer = dice_.roll(8), .be_late = dice_.roll(8)};
        return;
      case 1:
        process.store.faults.cut_off = !process.store.faults.cut_off;
        return;
      case 2:
        if (dice_.once_in(4) && dead_ == nullptr) dead_ = &process;
        if (dead_ != nullptr) dead_->store.faults = {.cut_off = true};
        return;
      case 3:
        dice_.once_in(2) ? process.jobs.pause("any") : process.jobs.resume();
        return;
      case 4:
        return control();
      default:
        return enqueue(process);
    }
  }

  void enqueue(Process& process) {
    std::vector<NewJob> jobs;
    for (int i = dice_.roll(5); i >= 0; --i) jobs.push_back(any_job());
    const auto ask = [&process](const Context& ctx,
                                const std::vector<NewJob>& given) -> Async<void> {
      static_cast<void>(co_await process.jobs.enqueue(ctx, given));
      co_return success();
    };
    spawn(sim_.runtime(), ctx_, ask, jobs);
  }

  void control() {
    if (truth_.jobs.empty()) return;
    const auto newest = truth_.jobs.rbegin()->first.value();
    const JobId id(1 + static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(newest))));
    const JobAction action = dice_.once_in(2) ? JobAction::cancel : JobAction::redrive;
    const auto done = block_on(sim_.runtime(), store_.control(ctx_, kTenant, id, action));
    if (done && action == JobAction::redrive) ++truth_.jobs[id].redrives;
  }

  std::vector<JobInfo> all() {
    std::vector<JobInfo> jobs;
    JobPage page{.limit = 1000};
    for (;;) {
      const auto some = block_on(sim_.runtime(), store_.list(ctx_, kTenant, page)).value();
      if (some.empty()) return jobs;
      page.before = some.back().id;
      jobs.insert(jobs.end(), some.begin(), some.end());
    }
  }
  std::size_t open() {
    std::size_t open = 0;
    for (const JobInfo& job : all()) open += is_final(job.state) ? 0 : 1;
    return open;
  }

  Dice dice_;
  JobTruth truth_;
  Telemetry telemetry_;
  testing::SimRuntime sim_;
  MemoryJobStore store_;
  const Context ctx_ = testing::context_of(kTenant);
  std::vector<std::unique_ptr<Process>> processes_;
  Process* dead_ = nullptr;
};

std::string run(std::uint64_t seed) {
  World world(seed);
  world.run_chaos();
  world.heal();
  world.check();
  return world.trace;
}

}  // namespace

TEST_CASE("three processes with failing connections end every job once, whatever happens") {
  Campaign(2'000).run([](std::uint64_t seed) { run(seed); });
}

TEST_CASE("a seed that is run again gives the same run") {
  const std::string first = run(4'711);
  CHECK(first.size() > 1'000);
  CHECK(run(4'711) == first);
}
