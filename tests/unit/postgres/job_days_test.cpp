// How long PostgreSQL keeps finished jobs, and the tables that they lie in.
#include <algorithm>
#include <span>

#include <doctest/doctest.h>

#include "postgres/pg_migration.hpp"
#include "unit/postgres/job_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::check_counts;
using testing::PostgresJobs;
using testing::PostgresServer;
using testing::RawConnection;
using testing::server_or_skip;

namespace {

const Context& kCtx = Context::background();

}  // namespace

TEST_CASE("finished jobs in PostgreSQL are deleted after the retention with all that is theirs") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  PostgresJobStore brief(bench.database, {.retention = 10s});
  const auto ids = bench.enqueue({bench.job("a"), bench.job("b")}).value();
  const WorkerId worker = bench.start_worker();
  const std::vector<ClaimedJob> claimed = bench.claim(worker, 1);
  REQUIRE(bench.settle(Settlement(claimed[0], worker, JobOutcomeKind::discard)) ==
          Settled::applied);
  bench.sim.advance(9s);
  CHECK(block_on(bench.sim.runtime(), brief.maintain(kCtx, 10)).value().pruned == 0);
  bench.sim.advance(2s);
  CHECK(block_on(bench.sim.runtime(), brief.maintain(kCtx, 10)).value().pruned == 1);
  CHECK(bench.info(ids[0].id).error().code() == Errc::not_found);
  CHECK(bench.info(ids[1].id).ok());
  check_counts(*server, name);
}

TEST_CASE("finished jobs lie in a table per day of UTC, which goes as a whole") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  PostgresJobStore jobs(bench.database, {.retention = 48h, .notify = false});
  const WorkerId worker = WorkerId::generate();
  const auto finish = [&](int count) {
    REQUIRE(
        bench.enqueue(std::vector<NewJob>(static_cast<std::size_t>(count), bench.job("a"))).ok());
    REQUIRE_FALSE(bench.heartbeat(worker, std::chrono::hours(24 * 30)).value().lost);
    for (const ClaimedJob& one : bench.claim(worker, count)) {
      REQUIRE(bench.settle(Settlement(one, worker, JobOutcomeKind::discard)) == Settled::applied);
    }
  };
  const auto maintain = [&] {
    return block_on(bench.sim.runtime(), jobs.maintain(kCtx, 100)).value().pruned;
  };
  const auto count = [&](const std::string& what) {
    return server->run(name, "SELECT count(*) FROM " + what);
  };
  for (int day = 0; day < 4; ++day) {
    CHECK_MESSAGE(maintain() == (day == 3 ? 2 : 0), day);
    bench.sim.advance(1h);
    finish(2);
    bench.sim.advance(23h);
  }
  CHECK(count("aiserve.job_done_rest") == "0");
  CHECK(count("aiserve.job_done") == "6");
  CHECK(count("(SELECT DISTINCT tableoid FROM aiserve.job_done) AS days") == "3");
  // Whoever reads holds up the end of a day, and is not held up for long.
  const RawConnection reader(server->dsn(name));
  reader.run("BEGIN; SELECT count(*) FROM aiserve.job_done");
  CHECK(maintain() == 0);
  CHECK(count("aiserve.job_done") == "6");
  reader.run("COMMIT");
  CHECK(maintain() == 0);
  bench.sim.advance(1min);
  CHECK(maintain() == 2);
  CHECK(count("aiserve.job_done") == "4");
  // Of yesterday, today and the two days after.
  const std::string until = std::to_string(
      std::chrono::nanoseconds((bench.sim.clock().wall_now() + 72h).time_since_epoch()).count());
  CHECK(count("aiserve.job_day WHERE until <= " + until +
              " AND until > (SELECT max(finished_at) FROM aiserve.job_done)") == "4");
  const JobPage page{.state = JobState::discarded};
  CHECK(block_on(bench.sim.runtime(), jobs.list(kCtx, bench.tenant, page)).value().size() == 4);
}

TEST_CASE("however long finished jobs are kept, few tables do, and no time is without one") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  const auto count = [&](const std::string& what) {
    return std::stoi(server->run(name, "SELECT count(*) FROM " + what));
  };
  // Those that the migration made follow its clock, which is not simulated.
  const std::string followed =
      "aiserve.job_day AS day WHERE until < " +
      std::to_string(
          std::chrono::nanoseconds((bench.sim.clock().wall_now() + 24h * 250).time_since_epoch())
              .count());
  const auto live = [&](PostgresJobStore& jobs, int days) {
    for (int day = 0; day < days; ++day) {
      REQUIRE(block_on(bench.sim.runtime(), jobs.maintain(kCtx, 100)).ok());
      bench.sim.advance(24h);
    }
    REQUIRE(bench.enqueue({bench.job("a")}).ok());
    const WorkerId worker = bench.start_worker();
    const ClaimedJob one = bench.claim(worker, 1).at(0);
    REQUIRE(bench.settle(Settlement(one, worker, JobOutcomeKind::discard)) == Settled::applied);
  };
  PostgresJobStore brief(bench.database, {.retention = 24h * 8, .notify = false});
  PostgresJobStore patient(bench.database, {.retention = 24h * 160, .notify = false});
  live(brief, 2);
  CHECK(count(followed) == 4);
  live(patient, 30);
  live(patient, 160);
  CHECK(count(followed) <= 20);
  // What two processes want that do not agree is there as well.
  live(brief, 1);
  live(patient, 1);
  CHECK(count("aiserve.job_done_rest") == 0);
  CHECK(count("aiserve.job_done") == 3);
  CHECK(count(followed + " AND NOT EXISTS (SELECT FROM aiserve.job_day AS next"
                         " WHERE next.since = day.until)") == 1);
}

TEST_CASE(
    "jobs that finish where no table was made for their day are kept and pruned all the same") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  PostgresJobStore jobs(bench.database, {.retention = 48h, .notify = false});
  const auto id = bench.enqueue({bench.job("a")}).value()[0].id;
  const WorkerId worker = bench.start_worker();
  const ClaimedJob job = bench.claim(worker, 1).at(0);
  REQUIRE(bench.settle(Settlement(job, worker, JobOutcomeKind::done)) == Settled::applied);
  REQUIRE(server->run(name, "SELECT count(*) FROM aiserve.job_done_rest") == "1");
  const auto maintain = [&] {
    return block_on(bench.sim.runtime(), jobs.maintain(kCtx, 100)).value().pruned;
  };
  CHECK(maintain() == 0);
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.job_day WHERE name LIKE '%20260101'") ==
        "0");
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.job_day WHERE name LIKE '%20260102'") ==
        "1");
  CHECK(bench.info(id).ok());
  bench.sim.advance(71h);
  CHECK(maintain() == 0);
  bench.sim.advance(2h);
  CHECK(maintain() == 1);
  CHECK(bench.info(id).error().code() == Errc::not_found);
}

TEST_CASE("what finished before there were tables per day stays in one, which goes as a whole") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  pg::Connection connection({.dsn = server->dsn(name)});
  connection.open();
  const auto steps = pg::migrations();
  const auto by_day = std::find_if(steps.begin(), steps.end(),
                                   [](const auto& step) { return step.name == "history by day"; });
  REQUIRE(by_day != steps.end());
  pg::migrate(connection, std::span(steps.begin(), by_day));
  server->run(name,
              "INSERT INTO aiserve.job_done SELECT 't', nextval('aiserve.job_id'), 'kind', 4, 0, 0,"
              " 0, 0, 0, 1, 1, 0, 0, 0, 5, 5, 3, 1000, 0, 0, NULL, NULL, 0, NULL, '', '',"
              " at * 3600000000000 FROM generate_series(1, 30) AS at");
  PostgresJobs bench(server->dsn(name));
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.job_done_before") == "30");
  CHECK(server->run(name, "SELECT until FROM aiserve.job_day WHERE name = 'job_done_before'") ==
        "172800000000000");
  CHECK(bench.info(JobId(30)).value().state == JobState::completed);
  REQUIRE(bench.maintain().ok());
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.job_done") == "0");
}

TEST_CASE("a table that has the name of a day's, and is none of them, does not stop maintenance") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  PostgresJobStore jobs(bench.database, {.retention = 48h, .notify = false});
  const auto maintain = [&] { return block_on(bench.sim.runtime(), jobs.maintain(kCtx, 100)); };
  REQUIRE(maintain().ok());
  const std::string detach =
      "ALTER TABLE aiserve.job_done DETACH PARTITION aiserve.job_done_20260102";
  REQUIRE(server->run(name, detach).empty());
  bench.sim.advance(24h);
  REQUIRE(maintain().ok());
  // As older programs do.
  const auto now = std::chrono::nanoseconds(bench.sim.clock().wall_now().time_since_epoch());
  const std::string at = "SET aiserve.now = '" + std::to_string(now.count()) + "'; ";
  CHECK(server->run(name, at + "SELECT aiserve.make_job_days()").empty());
  const auto id = bench.enqueue({bench.job("a")}).value()[0].id;
  const WorkerId worker = bench.start_worker();
  const ClaimedJob job = bench.claim(worker, 1).at(0);
  REQUIRE(bench.settle(Settlement(job, worker, JobOutcomeKind::done)) == Settled::applied);
  CHECK(bench.info(id).ok());
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.job_done_rest") == "1");
  CHECK(server->run(name, "SELECT count(*) FROM aiserve.job_done_20260102") == "0");
  bench.sim.advance(24h * 4);
  REQUIRE(maintain().ok());
  CHECK(bench.info(id).error().code() == Errc::not_found);
}
