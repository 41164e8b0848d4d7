// A service that is killed with -9 at random moments while it enqueues and runs jobs: what it was
// told is kept, and every job has exactly one outcome in the end.
#include <map>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "support/campaign.hpp"
#include "unit/campaigns/forked.hpp"
#include "unit/campaigns/queue_process.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using namespace aiserve::testing;

namespace {

constexpr int kProducers = 3;
constexpr int kKills = 5;

/// Ends in this attempt or in a later one; tells in the transaction of its outcome that it did.
Async<JobOutcome> work(const Context&, const Job& job) {
  const std::int64_t turn = job.id().value() + job.attempt();
  const Error failed(Errc::unavailable, "once more");
  if (job.attempt() == 1 && turn % 7 == 0) co_return JobOutcome::retry_at(WallTime{}, failed);
  if (job.attempt() == 1 && turn % 7 == 1) co_return JobOutcome::snooze_until(WallTime{});
  JobOutcome done = JobOutcome::done(job.input());
  const Bytes id = Bytes::copy(std::to_string(job.id().value()));
  done.tell({"done", id});
  co_return done;
}

JobKindOptions patient() { return {.max_attempts = 1000}; }

NewJob make(QueueProcess& process) {
  NewJob job = process.jobs.make(process.ctx, "work", Bytes::literal("input"));
  job.max_crashes = 1000;
  return job;
}

int serve_until_killed(const TemporaryFolder& folder, const Said& said, std::uint64_t life) {
  const LogSink quiet = [](LogLevel, std::string_view) {};
  QueueProcess process(folder, quiet, {}, 1s);
  process.jobs.on("work", patient(), work);
  const auto produce = [&](const Context& ctx) -> Async<void> {
    const NewJob job = make(process);
    for (;;) {
      const Result<Enqueued> made = co_await process.jobs.enqueue(ctx, job);
      if (made) said(std::to_string(made->id.value()));
    }
  };
  process.runtime.start();
  for (int i = 0; i < kProducers; ++i) spawn(process.runtime, process.ctx, produce);
  die_in(life);
  for (;;) ::pause();
}

int number(const SQLite::Database& file, const char* sql) {
  return SQLite::Database(file.getFilename()).execAndGet(sql).getInt();
}

/// Runs what the dead left.
void finish(const TemporaryFolder& folder) {
  const SQLite::Database file(folder.file("jobs.db"));
  Countdown left(number(file, "SELECT count(*) FROM job"));
  QueueProcess process(folder);
  process.jobs.on("work", patient(),
                  [&left](const Context& ctx, const Job& job) -> Async<JobOutcome> {
                    const Result<JobOutcome> outcome = co_await work(ctx, job);
                    if (outcome && outcome->kind() == JobOutcomeKind::done) left.count();
                    co_return outcome;
                  });
  process.runtime.start();
  left.wait();
  process.drain();
}

}  // namespace

TEST_CASE("a service that is killed at random moments loses nothing and records one outcome each") {
  Campaign(20).run([](std::uint64_t seed) {
    Dice dice(seed);
    const TemporaryFolder folder;
    std::vector<std::int64_t> acknowledged;
    for (int i = 0; i < kKills; ++i) {
      const std::uint64_t life = dice.below(250'000);
      Forked child([&](const Said& said) { return serve_until_killed(folder, said, life); });
      while (const auto line = child.line()) acknowledged.push_back(std::stoll(*line));
      REQUIRE(child.wait() == 128 + SIGKILL);
    }
    finish(folder);

    QueueProcess process(folder);
    process.runtime.start();
    for (const std::int64_t id : acknowledged) {
      const JobInfo job = process.info(JobId(id));
      REQUIRE(job.state == JobState::completed);
      REQUIRE(job.result->text() == "input");
    }
    const SQLite::Database file(folder.file("jobs.db"));
    CHECK(number(file, "SELECT count(*) FROM job") == 0);
    CHECK(number(file, "SELECT count(*) FROM job_event") ==
          number(file, "SELECT count(*) FROM job_done WHERE state = 4"));
    CHECK(number(file, "SELECT count(DISTINCT payload) FROM job_event") ==
          number(file, "SELECT count(*) FROM job_done"));
  });
}
