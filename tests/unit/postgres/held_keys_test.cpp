// Somebody holds an order key, as a host does between enqueue_in() and its commit.
#include <doctest/doctest.h>

#include "aiserve/jobs/job_queue.hpp"
#include "postgres/key_lookup.hpp"
#include "unit/postgres/job_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::PostgresJobs;
using testing::PostgresServer;
using testing::RawConnection;
using testing::server_or_skip;

namespace {

struct Held {
  explicit Held(PostgresServer& server)
      : name(server.new_database()), bench(server.dsn(name)), host(server.dsn(name)) {}

  void hold(const std::string& key) const {
    const std::int64_t number = pg::KeyLookup::lock_of_order({"t", "kind", key});
    host.run("BEGIN; SELECT pg_advisory_xact_lock(" + std::to_string(number) + ")");
  }
  void release() const { host.run("COMMIT"); }

  NewJob job(std::string_view input, const std::string& key) const {
    NewJob one = bench.job(input);
    one.order_key = key;
    return one;
  }
  std::vector<Settled> settle(const std::vector<Settlement>& all) {
    return block_on(bench.sim.runtime(), bench.jobs.settle(Context::background(), all)).value();
  }
  Result<JobInfo> control(JobId id, JobAction action) {
    return block_on(bench.sim.runtime(),
                    bench.jobs.control(Context::background(), bench.tenant, id, action));
  }
  JobState state(JobId id) { return bench.info(id).value().state; }

  const std::string name;
  PostgresJobs bench;
  const RawConnection host;
};

using Kind = JobOutcomeKind;

}  // namespace

TEST_CASE("outcomes that need a key which a host holds are for later, all others are recorded") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Held held(*server);
  PostgresJobs& bench = held.bench;
  REQUIRE(bench
              .enqueue({held.job("a", "theirs"), bench.job("b"), held.job("c", "other"),
                        bench.job("d"), held.job("e", "else")})
              .ok());
  const WorkerId worker = bench.start_worker();
  const std::vector<ClaimedJob> jobs = bench.claim(worker, 9);
  REQUIRE(jobs.size() == 5);
  std::vector<Settlement> all;
  for (const ClaimedJob& job : jobs) all.emplace_back(job, worker, Kind::done);
  all[3].next = {held.job("next", "theirs")};
  all[4].outcome = Kind::discard;
  held.hold("theirs");
  const std::vector<Settled> some{Settled::later, Settled::applied, Settled::applied,
                                  Settled::later, Settled::applied};
  CHECK(held.settle(all) == some);
  CHECK(held.state(jobs[0].id) == JobState::running);
  CHECK(held.state(jobs[3].id) == JobState::running);
  CHECK(held.state(jobs[4].id) == JobState::discarded);
  held.release();
  const std::vector<Settled> rest{Settled::applied, Settled::stale, Settled::stale,
                                  Settled::applied, Settled::stale};
  CHECK(held.settle(all) == rest);
  CHECK(server->run(held.name, "SELECT count(*) FROM aiserve.job") == "1");
  testing::check_counts(*server, held.name);
}

TEST_CASE("an outcome that keeps its turn does not need the key that a host holds") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Held held(*server);
  PostgresJobs& bench = held.bench;
  REQUIRE(bench.enqueue({held.job("a", "theirs"), bench.job("b")}).ok());
  const WorkerId worker = bench.start_worker();
  const std::vector<ClaimedJob> jobs = bench.claim(worker, 9);
  REQUIRE(jobs.size() == 2);
  held.hold("theirs");
  CHECK(bench.settle(Settlement(jobs[0], worker, Kind::retry)) == Settled::applied);
  CHECK(bench.settle(Settlement(jobs[1], worker, Kind::give_back)) == Settled::applied);
  held.release();
  testing::check_counts(*server, held.name);
}

TEST_CASE("a claim leaves an expired job alone whose key a host holds, and gives the others") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Held held(*server);
  PostgresJobs& bench = held.bench;
  NewJob brief = held.job("brief", "theirs");
  brief.start_before = bench.sim.clock().wall_now() + 1s;
  const auto ids = bench.enqueue({brief, bench.job("b")}).value();
  bench.sim.advance(2s);
  const WorkerId worker = bench.start_worker();
  held.hold("theirs");
  const std::vector<ClaimedJob> jobs = bench.claim(worker, 9);
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0].input.text() == "b");
  CHECK(held.state(ids[0].id) == JobState::available);
  testing::check_counts(*server, held.name);
  held.release();
  CHECK(bench.claim(worker, 9).empty());
  CHECK(held.state(ids[0].id) == JobState::discarded);
  testing::check_counts(*server, held.name);
}

TEST_CASE(
    "the upkeep leaves a poisonous job alone whose key a host holds, and rescues the others") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Held held(*server);
  PostgresJobs& bench = held.bench;
  NewJob poison = held.job("poison", "theirs");
  poison.max_crashes = 1;
  const auto ids = bench.enqueue({poison, bench.job("b")}).value();
  const WorkerId worker = bench.start_worker();
  REQUIRE(bench.claim(worker, 9).size() == 2);
  REQUIRE(bench.heartbeat(worker, 0ms).ok());
  held.hold("theirs");
  const MaintenanceReport some = bench.maintain().value();
  CHECK(some.rescued == 1);
  CHECK(some.discarded == 0);
  CHECK(held.state(ids[0].id) == JobState::running);
  CHECK(held.state(ids[1].id) == JobState::available);
  held.release();
  const MaintenanceReport rest = bench.maintain().value();
  CHECK(rest.rescued == 1);
  CHECK(rest.discarded == 1);
  testing::check_counts(*server, held.name);
}

TEST_CASE(
    "whoever cancels a job whose key a host holds is told to come back, and then it is done") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Held held(*server);
  const auto ids = held.bench.enqueue({held.job("first", "theirs"), held.job("behind", "theirs")});
  REQUIRE(ids.ok());
  held.hold("theirs");
  const auto connects = held.bench.database.stats().connects;
  for (const Enqueued& job : *ids) {
    const Result<JobInfo> refused = held.control(job.id, JobAction::cancel);
    REQUIRE(refused.error().code() == Errc::overloaded);
    CHECK(refused.error().retry_after() == 1s);
    CHECK_FALSE(is_final(held.state(job.id)));
  }
  held.release();
  for (const Enqueued& job : *ids) {
    CHECK(held.control(job.id, JobAction::cancel).value().state == JobState::cancelled);
  }
  CHECK(held.bench.database.stats().connects == connects);
  testing::check_counts(*server, held.name);
}

TEST_CASE("whoever cancels a job whose row somebody has locked is told to come back") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Held held(*server);
  const JobId id = held.bench.enqueue({held.bench.job("a")}).value().at(0).id;
  held.host.run("BEGIN; SELECT id FROM aiserve.job FOR UPDATE");
  CHECK(held.control(id, JobAction::cancel).error().code() == Errc::overloaded);
  held.release();
  CHECK(held.control(id, JobAction::cancel).ok());
}

TEST_CASE(
    "whoever redrives a job whose key a host holds is told to come back, and then it is done") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Held held(*server);
  const JobId id = held.bench.enqueue({held.job("a", "theirs")}).value().at(0).id;
  REQUIRE(held.control(id, JobAction::cancel).ok());
  held.hold("theirs");
  const Result<JobInfo> refused = held.control(id, JobAction::redrive);
  REQUIRE(refused.error().code() == Errc::overloaded);
  CHECK(refused.error().retry_after() == 1s);
  CHECK(held.state(id) == JobState::cancelled);
  held.release();
  CHECK(held.control(id, JobAction::redrive).value().state == JobState::available);
  testing::check_counts(*server, held.name);
}

TEST_CASE("a bulk redrive goes past dead letters whose key a host holds") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Held held(*server);
  PostgresJobs& bench = held.bench;
  const auto ids = bench.enqueue({bench.job("a"), held.job("b", "theirs"), bench.job("c")}).value();
  const WorkerId worker = bench.start_worker();
  std::vector<Settlement> all;
  for (const ClaimedJob& job : bench.claim(worker, 9)) {
    all.emplace_back(job, worker, Kind::discard);
  }
  REQUIRE(held.settle(all).size() == 3);
  JobQueue queue(bench.sim.runtime(), bench.jobs);
  const Context ctx = Context::background().with_tenant(Tenant::make({.id = bench.tenant}).value());
  const auto redrive = [&] {
    return block_on(bench.sim.runtime(), queue.redrive_dead(ctx, "kind", 100));
  };
  held.hold("theirs");
  CHECK(redrive().value() == 2);
  CHECK(held.state(ids[1].id) == JobState::discarded);
  CHECK(redrive().error().code() == Errc::overloaded);
  held.release();
  CHECK(redrive().value() == 1);
  testing::check_counts(*server, held.name);
}
