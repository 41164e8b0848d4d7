// A process that is killed with -9 while it enqueues, claims and settles loses nothing that it was
// told, and records no outcome twice.
#include <array>
#include <map>
#include <random>

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/sqlite/stores_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::StoresBench;
using testing::TemporaryFolder;

namespace {

const TenantId kTenant("t");
const Context& kCtx = Context::background();

enum class Ack : std::int64_t { enqueued, completed };
struct Line {
  Ack ack;
  std::int64_t id;
};

/// What a worker does until it is killed; every answer of the store goes into the pipe.
[[noreturn]] void work_until_killed(const TemporaryFolder& folder, int out) {
  StoresBench bench(folder);
  const auto tell = [out](Ack ack, JobId id) {
    const Line line{ack, id.value()};
    if (::write(out, &line, sizeof line) != sizeof line) ::_exit(1);
  };
  const WorkerId worker = WorkerId::generate();
  for (;;) {
    if (!block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s))) ::_exit(2);
    const std::vector<NewJob> jobs(5, NewJob(kTenant, "kind", Bytes::literal("input")));
    const auto made = bench.enqueue(jobs);
    if (!made) ::_exit(3);
    for (const Enqueued& one : *made) tell(Ack::enqueued, one.id);
    const std::vector<ClaimQuota> quotas{{kTenant, "kind", 4}};
    const auto claimed = block_on(bench.sim.runtime(), bench.jobs.claim(kCtx, worker, quotas));
    if (!claimed) ::_exit(4);
    std::vector<Settlement> done;
    for (const ClaimedJob& one : *claimed) {
      done.emplace_back(one, worker, JobOutcomeKind::done);
      done.back().result = Bytes::copy(std::to_string(one.id.value()));
    }
    const auto settled = block_on(bench.sim.runtime(), bench.jobs.settle(kCtx, done));
    if (!settled) ::_exit(5);
    for (std::size_t i = 0; i < done.size(); ++i) {
      if ((*settled)[i] == Settled::applied) tell(Ack::completed, done[i].id);
    }
  }
}

/// Kills a worker after so many answers; adds what it said before it died.
void kill_after(const TemporaryFolder& folder, int answers, std::vector<Line>& said) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) work_until_killed(folder, pipe[1]);
  ::close(pipe[1]);
  Line line{};
  int read = 0;
  for (; ::read(pipe[0], &line, sizeof line) == sizeof line; ++read) {
    said.push_back(line);
    if (read == answers) ::kill(child, SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(pipe[0]);
  REQUIRE(read > answers);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE(
    "a kill -9 at any point loses no acknowledged job and no outcome, and no job runs twice") {
  const auto seed = static_cast<unsigned>(::getpid());
  CAPTURE(seed);
  std::mt19937 random(seed);
  const TemporaryFolder folder;
  std::vector<Line> said;
  for (int round = 0; round < 8; ++round) {
    kill_after(folder, 1 + static_cast<int>(random() % 120), said);
  }

  StoresBench bench(folder);
  const auto checked = block_on(bench.sim.runtime(), bench.database.check(kCtx, SqliteCheck::full));
  CHECK_MESSAGE(checked.ok(), (checked ? "" : checked.error().to_string()));
  std::map<std::int64_t, int> completions;
  for (const Line& line : said) {
    const Result<JobInfo> job = bench.info(JobId(line.id));
    REQUIRE_MESSAGE(job.ok(), "job ", line.id, " was acknowledged and is lost");
    if (line.ack == Ack::enqueued) continue;
    CHECK_MESSAGE(++completions[line.id] == 1, "an outcome was recorded twice");
    CHECK(job->state == JobState::completed);
    CHECK(job->result->text() == std::to_string(line.id));
  }
  CHECK(completions.size() > 20);

  // Whatever the dead had taken runs elsewhere once their leases have ended.
  bench.sim.advance(31s);
  const WorkerId worker = WorkerId::generate();
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s)).ok());
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.maintain(kCtx, 10'000)).ok());
  const std::vector<ClaimQuota> quotas{{kTenant, "kind", 10'000}};
  const auto claimed =
      block_on(bench.sim.runtime(), bench.jobs.claim(kCtx, worker, quotas)).value();
  std::vector<Settlement> done;
  done.reserve(claimed.size());
  for (const ClaimedJob& one : claimed) {
    CHECK(completions.count(one.id.value()) == 0);
    done.emplace_back(one, worker, JobOutcomeKind::done);
  }
  for (const Settled one : block_on(bench.sim.runtime(), bench.jobs.settle(kCtx, done)).value()) {
    CHECK(one == Settled::applied);
  }
  for (const Line& line : said) {
    CHECK(bench.info(JobId(line.id)).value().state == JobState::completed);
  }
}
