// Processes that are stopped beyond their lease, told twice to end, or whose wall clock jumps.
#include <cstdlib>
#include <fstream>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "support/child_process.hpp"
#include "unit/campaigns/forked.hpp"
#include "unit/campaigns/queue_process.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using namespace aiserve::testing;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

constexpr const char* kFakeTime = "/usr/lib/" AISERVE_TRIPLET "/faketime/libfaketime.so.1";

int stop_in_the_middle(const TemporaryFolder& folder, const Said& said) {
  Countdown ended(1);
  const LogSink log = [&said](LogLevel, std::string_view line) { said(std::string(line)); };
  QueueProcess process(folder, log, {}, 1s);
  process.jobs.on("nap", [&](const Context&, const Job&) -> Async<JobOutcome> {
    ::raise(SIGSTOP);  // all threads of the process
    ended.count();
    co_return JobOutcome::done(Bytes::literal("zombie"));
  });
  process.runtime.start();
  process.enqueue("nap");
  ended.wait();
  process.drain();
  return 0;
}

int hog(const TemporaryFolder& folder, const Said& said) {
  const LogSink log = [&said](LogLevel, std::string_view line) { said(std::string(line)); };
  RuntimeOptions options{.drain_timeout = 1ms, .stuck_timeout = 1h};
  QueueProcess process(folder, log, options, 1s);
  process.jobs.on("hog", [&](const Context&, const Job&) -> Async<JobOutcome> {
    said("begun");
    for (;;) ::pause();
    co_return JobOutcome::done();
  });
  const auto enqueue = [&](const Context& ctx) -> Async<void> {
    const Bytes input;
    const Result<Enqueued> made = co_await process.jobs.enqueue(ctx, "hog", input);
    if (!made) co_return made.error();
    said("enqueued " + std::to_string(made->id.value()));
    co_return success();
  };
  spawn(process.runtime, process.ctx, enqueue);
  return process.runtime.run();
}

}  // namespace

TEST_CASE("what a worker says that was stopped beyond its lease is refused") {
  const TemporaryFolder folder;
  Forked zombie([&](const Said& said) { return stop_in_the_middle(folder, said); });
  REQUIRE(zombie.stops());
  Countdown ended(1);
  QueueProcess other(folder);
  int attempt = 0;
  JobId id;
  other.jobs.on("nap", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    attempt = job.attempt();
    id = job.id();
    ended.count();
    co_return JobOutcome::done(Bytes::literal("other"));
  });
  other.runtime.start();
  ended.wait();
  other.drain();
  CHECK(attempt == 2);
  zombie.signal(SIGCONT);
  CHECK(zombie.says("the outcome of a job came too late"));
  CHECK(zombie.wait() == 0);
  const JobInfo job = other.info(id);
  CHECK(job.state == JobState::completed);
  CHECK(job.result->text() == "other");
}

TEST_CASE("told twice to end, a service with a handler that does not leaves, and its job runs on") {
  const TemporaryFolder folder;
  JobId id;
  {
    Forked service([&](const Said& said) { return hog(folder, said); });
    while (const auto line = service.line()) {
      if (line->find("enqueued ") == 0) id = JobId(std::stoll(line->substr(9)));
      if (*line == "begun") break;
    }
    service.signal(SIGTERM);
    REQUIRE(service.says("signal received"));
    service.signal(SIGTERM);
    REQUIRE(service.says("second signal"));
    CHECK(service.wait() == 3);
  }
  Countdown ended(1);
  QueueProcess next(folder);
  JobId ran;
  next.jobs.on("hog", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    ran = job.id();
    ended.count();
    co_return JobOutcome::done();
  });
  next.runtime.start();
  ended.wait();
  next.drain();
  if (id.value() != 0) CHECK(ran == id);
  CHECK(next.info(ran).state == JobState::completed);
  CHECK(next.info(ran).crashes == 1);
}

// Started by the case below, with a wall clock that is wrong by what the file says.
TEST_CASE("a worker whose clock jumps (child)" * doctest::skip()) {
  const char* path = std::getenv("AISERVE_CLOCK_FOLDER");
  REQUIRE(path != nullptr);
  const std::string folder = path;
  const auto set_clock = [&](const char* offset) {
    std::ofstream(folder + "/clock.new") << offset << '\n';
    REQUIRE(std::rename((folder + "/clock.new").c_str(), (folder + "/clock").c_str()) == 0);
  };
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.telemetry = &telemetry});
  SqliteJobStore store(runtime, {.path = folder + "/jobs.db"});
  JobQueue jobs(runtime, store, {.concurrency = 1, .lease = 30s});
  Countdown ended(12);
  std::vector<std::int64_t> hours;
  jobs.on("tick", [&](const Context&, const Job& job) -> Async<JobOutcome> {
    hours.push_back(std::chrono::duration_cast<std::chrono::hours>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count());
    const std::int64_t turn = job.id().value() % 4;
    set_clock(turn == 0 ? "+3600s" : turn == 2 ? "-3600s" : "+0s");
    ended.count();
    co_return JobOutcome::done();
  });
  runtime.start();
  const Context ctx(ContextOptions{.tenant = Tenant({.id = kQueueTenant})});
  const Bytes input;
  std::vector<JobId> ids;
  for (int i = 0; i < 12; ++i) {
    ids.push_back(block_on(runtime, jobs.enqueue(ctx, "tick", input)).value().id);
  }
  ended.wait();
  REQUIRE(block_on(runtime, jobs.drain(ctx)).ok());
  for (const JobId id : ids) {
    const JobInfo job = block_on(runtime, jobs.get(ctx, id)).value();
    CHECK(job.state == JobState::completed);
    CHECK(job.attempt == 1);
  }
  // The clock did jump.
  CHECK(*std::max_element(hours.begin(), hours.end()) -
            *std::min_element(hours.begin(), hours.end()) >=
        2);
  runtime.shutdown();
}

TEST_CASE("a wall clock that jumps by hours loses no job and ends no lease") {
  if (kAddressSanitizer || ::access(kFakeTime, R_OK) != 0) {
    MESSAGE("SKIPPED: needs libfaketime (Debian: faketime), and no AddressSanitizer");
    return;
  }
  const TemporaryFolder folder;
  std::ofstream(folder.file("clock")) << "+0s\n";
  ChildProcess child({"/proc/self/exe", "--no-skip", "--test-case=a worker whose clock jumps*"},
                     {std::string("LD_PRELOAD=") + kFakeTime,
                      "FAKETIME_TIMESTAMP_FILE=" + folder.file("clock"), "FAKETIME_NO_CACHE=1",
                      "FAKETIME_DONT_FAKE_MONOTONIC=1", "AISERVE_CLOCK_FOLDER=" + folder.path()});
  CHECK(child.wait() == 0);
  INFO(child.output(), child.errors());
  CHECK(child.output().find("1 passed") != std::string::npos);
}
