#include "aiserve/postgres/postgres_job_store.hpp"

#include <set>

#include <doctest/doctest.h>

#include "aiserve/testing/job_store_conformance.hpp"
#include "postgres/job_statements.hpp"
#include "support/run_cases.hpp"
#include "unit/postgres/job_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::check_counts;
using testing::JobStoreSides;
using testing::PostgresJobs;
using testing::PostgresServer;
using testing::RawConnection;
using testing::server_or_skip;

namespace {

const Context& kCtx = Context::background();

/// A job store over a database of its own, seen from both sides.
class Fresh {
 public:
  Fresh(Runtime& runtime, PostgresServer& server)
      : store_(std::make_unique<PostgresJobStore>(
            runtime,
            PostgresDatabaseOptions{.dsn = server.dsn(server.new_database()), .connections = 2})),
        sides_(std::make_unique<JobStoreSides>(JobStoreSides{*store_, *store_, store_.get()})) {}
  JobStoreSides& operator*() const { return *sides_; }

 private:
  std::unique_ptr<PostgresJobStore> store_;
  std::unique_ptr<JobStoreSides> sides_;
};

/// Of jobs whose order keys say how many may have their turn.
void check_turns(const PostgresServer& server, const std::string& name) {
  CHECK_MESSAGE(
      server.run(name,
                 "SELECT count(*) FROM (SELECT FROM aiserve.job WHERE blocked = 0 AND"
                 " order_key IS NOT NULL GROUP BY order_key"
                 " HAVING count(*) > convert_from(order_key, 'UTF8')::integer) AS key") == "0",
      "more have their turn than may");
}

}  // namespace

TEST_CASE("the job store in PostgreSQL does what every one has to do") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  testing::run_cases(testing::job_store_cases(),
                     [&](testing::SimRuntime& sim) { return Fresh(sim.runtime(), *server); });
}

TEST_CASE("operators of the job store in PostgreSQL may do what they may everywhere") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  testing::run_cases(testing::job_operator_cases(),
                     [&](testing::SimRuntime& sim) { return Fresh(sim.runtime(), *server); });
}

TEST_CASE("a pause in PostgreSQL holds in every process, and its end wakes those that wait") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  PostgresJobs other(server->dsn(name));
  int told = 0;
  bench.jobs.on_ready([&] { ++told; });
  REQUIRE(block_on(other.sim.runtime(), other.jobs.pause(kCtx, "kind")).ok());
  REQUIRE(bench.enqueue({bench.job("a")}).ok());
  CHECK(told == 1);
  const WorkerId worker = bench.start_worker();
  CHECK(bench.claim(worker, 1).empty());
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.resume(kCtx, "")).ok());
  CHECK(told == 2);
  CHECK(bench.claim(worker, 1).size() == 1);
}

TEST_CASE("the input of a job in PostgreSQL can be read while it waits, and of a dead letter") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  PostgresJobs bench(server->dsn(server->new_database()));
  const auto ids = bench.enqueue({bench.job("a"), bench.job("b")}).value();
  const auto input = [&](const TenantId& tenant, std::size_t which) {
    return block_on(bench.sim.runtime(), bench.jobs.input(kCtx, tenant, ids[which].id));
  };
  CHECK(input(bench.tenant, 0).value().text() == "a");
  CHECK(input(TenantId("u"), 0).error().code() == Errc::not_found);
  const WorkerId worker = bench.start_worker();
  const std::vector<ClaimedJob> claimed = bench.claim(worker, 2);
  REQUIRE(claimed.size() == 2);
  CHECK(input(bench.tenant, 0).value().text() == "a");
  REQUIRE(bench.settle(Settlement(claimed[0], worker, JobOutcomeKind::done)) == Settled::applied);
  REQUIRE(bench.settle(Settlement(claimed[1], worker, JobOutcomeKind::discard)) ==
          Settled::applied);
  CHECK(input(bench.tenant, 0).error().code() == Errc::not_found);
  CHECK(input(bench.tenant, 1).value().text() == "b");
  CHECK(input(TenantId("u"), 1).error().code() == Errc::not_found);
}

TEST_CASE("jobs in PostgreSQL survive a restart in whatever state they are, and leases go on") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  const WorkerId worker = WorkerId::generate();
  std::vector<Enqueued> ids;
  ClaimedJob running;
  {
    PostgresJobs bench(server->dsn(name));
    ids = bench.enqueue({bench.job("done"), bench.job("running"), bench.job("waiting")}).value();
    REQUIRE(bench.heartbeat(worker).ok());
    const std::vector<ClaimedJob> claimed = bench.claim(worker, 2);
    REQUIRE(claimed.size() == 2);
    Settlement done(claimed[0], worker, JobOutcomeKind::done);
    done.result = Bytes::literal("result");
    REQUIRE(bench.settle(done) == Settled::applied);
    running = claimed[1];
  }
  PostgresJobs bench(server->dsn(name));
  CHECK(bench.info(ids[0].id).value().result->text() == "result");
  CHECK(bench.info(ids[1].id).value().state == JobState::running);
  CHECK(bench.info(ids[2].id).value().state == JobState::available);
  CHECK(bench.settle(Settlement(running, worker, JobOutcomeKind::done)) == Settled::applied);
  check_counts(*server, name);
}

TEST_CASE("a settlement that is said twice in one call is applied once") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  REQUIRE(bench.enqueue({bench.job("a"), bench.job("b")}).ok());
  const WorkerId worker = bench.start_worker();
  const std::vector<ClaimedJob> claimed = bench.claim(worker, 2);
  REQUIRE(claimed.size() == 2);
  const Settlement done(claimed[0], worker, JobOutcomeKind::done);
  const Settlement retry(claimed[1], worker, JobOutcomeKind::retry);
  const std::vector<Settlement> all{done, retry, done, retry,
                                    Settlement(claimed[0], worker, JobOutcomeKind::discard)};
  const auto settled = block_on(bench.sim.runtime(), bench.jobs.settle(kCtx, all)).value();
  const std::vector<Settled> expected{Settled::applied, Settled::applied, Settled::stale,
                                      Settled::stale, Settled::stale};
  CHECK(settled == expected);
  check_counts(*server, name);
}

TEST_CASE("events of a settlement wait in the outbox of PostgreSQL until they are acknowledged") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  PostgresJobs bench(server->dsn(server->new_database()));
  REQUIRE(bench.enqueue({bench.job("a"), bench.job("b")}).ok());
  const WorkerId worker = bench.start_worker();
  for (const ClaimedJob& one : bench.claim(worker, 2)) {
    Settlement done(one, worker, JobOutcomeKind::done);
    done.events = {{"job.done", one.input}, {"job.told", Bytes::literal("x")}};
    REQUIRE(bench.settle(done) == Settled::applied);
    REQUIRE(bench.settle(done) == Settled::stale);
  }
  const auto peek = [&] { return block_on(bench.sim.runtime(), bench.jobs.peek(kCtx, 3)).value(); };
  std::vector<OutboxEvent> events = peek();
  REQUIRE(events.size() == 3);
  CHECK(events[0].payload.text() == "a");
  CHECK(events[2].payload.text() == "b");
  CHECK(events[2].tenant == bench.tenant);
  CHECK(peek().size() == 3);
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.ack(kCtx, events[2].sequence)).ok());
  events = peek();
  REQUIRE(events.size() == 1);
  CHECK(events[0].topic == "job.told");
}

TEST_CASE("an event whose transaction began first and ended last is not skipped by the outbox") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  const std::string event = "INSERT INTO aiserve.job_event (tenant, topic, payload) VALUES ('t', ";
  const RawConnection slow(server->dsn(name));
  slow.run("BEGIN;" + event + "'slow', '')");
  server->run(name, event + "'quick', '')");
  const auto peek = [&] { return block_on(bench.sim.runtime(), bench.jobs.peek(kCtx, 9)).value(); };
  std::vector<OutboxEvent> events = peek();
  REQUIRE(events.size() == 1);
  CHECK(events[0].topic == "quick");
  slow.run("COMMIT");
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.ack(kCtx, events[0].sequence)).ok());
  events = peek();
  REQUIRE(events.size() == 1);
  CHECK(events[0].topic == "slow");
}

TEST_CASE("what a queue without jobs counted is forgotten") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  REQUIRE(bench.enqueue({bench.job("a")}).ok());
  const WorkerId worker = bench.start_worker();
  const ClaimedJob job = bench.claim(worker, 1).at(0);
  REQUIRE(bench.settle(Settlement(job, worker, JobOutcomeKind::done)) == Settled::applied);
  const auto slots = [&] { return server->run(name, "SELECT count(*) FROM aiserve.job_count"); };
  REQUIRE(bench.maintain().ok());
  CHECK(slots() != "0");
  bench.sim.advance(61s);
  REQUIRE(bench.enqueue({NewJob(bench.tenant, "other", Bytes())}).ok());
  bench.sim.advance(61s);
  REQUIRE(bench.maintain().ok());
  CHECK(slots() == "1");
  check_counts(*server, name);
}

TEST_CASE("whoever waits for ready jobs in PostgreSQL is told after the commit that made them") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  PostgresJobs bench(server->dsn(server->new_database()));
  int told = 0;
  bench.jobs.on_ready([&] { ++told; });
  REQUIRE(bench.enqueue({bench.job("a"), bench.job("b")}).ok());
  CHECK(told == 1);
  NewJob later = bench.job("c");
  later.run_at = bench.sim.clock().wall_now() + 1h;
  REQUIRE(bench.enqueue({later}).ok());
  CHECK(told == 1);
  bench.sim.advance(1h);
  REQUIRE(bench.maintain().ok());
  CHECK(told == 2);
}

TEST_CASE("the counters in PostgreSQL stay those of the rows through a thousand random calls") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  std::uint64_t seed = 20'261'122;
  const auto random = [&](std::uint64_t below) {
    seed = seed * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    return (seed >> 33) % below;
  };
  std::vector<std::pair<ClaimedJob, WorkerId>> running;
  WorkerId worker = bench.start_worker();
  std::set<JobId> finished;
  for (int i = 0; i < 1'000; ++i) {
    if (i % 100 == 0) check_turns(*server, name);
    switch (random(6)) {
      case 0: {
        NewJob one = bench.job("x");
        one.max_attempts = 1 + static_cast<int>(random(3));
        if (random(3) == 0) {
          one.order_concurrency = 1 + static_cast<int>(random(4));
          one.order_key = std::to_string(one.order_concurrency);
        }
        if (random(3) == 0) one.unique = JobUnique(std::to_string(random(9)));
        if (random(4) == 0) one.run_at = bench.sim.clock().wall_now() + 5s;
        if (random(9) == 0) one.start_before = bench.sim.clock().wall_now() + 2s;
        REQUIRE(bench.enqueue({one}).ok());
        break;
      }
      case 1:
        for (ClaimedJob& one : bench.claim(worker, 1 + static_cast<int>(random(4)))) {
          running.emplace_back(std::move(one), worker);
        }
        break;
      case 2:
      case 3: {
        if (running.empty()) break;
        const std::size_t at = random(running.size());
        const auto kind = static_cast<JobOutcomeKind>(random(6));
        Settlement settlement(running[at].first, running[at].second, kind);
        settlement.at = bench.sim.clock().wall_now() + std::chrono::seconds(random(10));
        if (random(4) == 0) {
          settlement.next = {bench.job("next")};
          settlement.next[0].order_concurrency = 1 + static_cast<int>(random(4));
          settlement.next[0].order_key = std::to_string(settlement.next[0].order_concurrency);
        }
        const JobId id = running[at].first.id;
        if (bench.settle(settlement) == Settled::applied && kind == JobOutcomeKind::done) {
          CHECK_MESSAGE(finished.insert(id).second, "an outcome was recorded twice");
        }
        if (random(2) == 0) running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      }
      case 4: {
        const JobId id(static_cast<std::int64_t>(random(500)));
        const JobAction action = random(2) == 0 ? JobAction::cancel : JobAction::redrive;
        const auto done =
            block_on(bench.sim.runtime(), bench.jobs.control(kCtx, bench.tenant, id, action));
        if (!done) {
          CHECK((done.error().code() == Errc::not_found || done.error().code() == Errc::conflict));
        }
        break;
      }
      default:
        bench.sim.advance(std::chrono::milliseconds(random(2'000)));
        if (random(20) == 0) worker = bench.start_worker();
        REQUIRE(bench.heartbeat(worker).ok());
        REQUIRE(bench.maintain().ok());
    }
  }
  CHECK(finished.size() > 10);
  check_counts(*server, name);
}

TEST_CASE("a list of jobs in one state reads the tables only that hold such jobs") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  const auto ids = bench.enqueue({bench.job("done"), bench.job("dead"), bench.job("waits")});
  REQUIRE(ids.ok());
  const WorkerId worker = bench.start_worker();
  const std::vector<ClaimedJob> claimed = bench.claim(worker, 2);
  REQUIRE(claimed.size() == 2);
  REQUIRE(bench.settle(Settlement(claimed[0], worker, JobOutcomeKind::done)) == Settled::applied);
  REQUIRE(bench.settle(Settlement(claimed[1], worker, JobOutcomeKind::discard)) ==
          Settled::applied);
  const auto list = [&](std::optional<JobState> state) {
    const JobPage page{.state = state};
    return block_on(bench.sim.runtime(), bench.jobs.list(kCtx, bench.tenant, page));
  };
  const auto lists = [&](JobState state, std::size_t which) {
    const auto found = list(state);
    return found.ok() && found->size() == 1 && (*found)[0].id == (*ids)[which].id;
  };
  CHECK(list(std::nullopt).value().size() == 3);
  server->run(name, "REVOKE SELECT ON aiserve.job_input FROM aiserve_tenant");
  CHECK(lists(JobState::completed, 0));
  CHECK(lists(JobState::discarded, 1));
  CHECK(lists(JobState::available, 2));
  CHECK_FALSE(list(std::nullopt).ok());
  server->run(name,
              "GRANT SELECT ON aiserve.job_input TO aiserve_tenant;"
              "REVOKE SELECT ON aiserve.job_done FROM aiserve_tenant");
  CHECK(lists(JobState::available, 2));
  CHECK_FALSE(list(std::nullopt).ok());
}

TEST_CASE("a list of one state is read by its index, however many jobs are in another one") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  NewJob later = bench.job("later");
  later.run_at = bench.sim.clock().wall_now() + 1h;
  std::vector<NewJob> jobs(300, bench.job("ready"));
  jobs.insert(jobs.begin() + 7, later);
  const auto ids = bench.enqueue(jobs).value();
  const JobPage page{.state = JobState::scheduled, .limit = 10};
  const auto found = block_on(bench.sim.runtime(), bench.jobs.list(kCtx, bench.tenant, page));
  REQUIRE(found.value().size() == 1);
  CHECK(found.value()[0].id == ids[7].id);
  // The plan for whatever tenant and state, with and without statistics.
  const RawConnection plain(server->dsn(name));
  plain.run("SET enable_seqscan = off; SET enable_bitmapscan = off; SET ROLE aiserve_tenant");
  plain.run(std::string("PREPARE listed (bytea, bigint, bigint, bigint) AS ") + pg::kListOpenIn);
  plain.run("SET plan_cache_mode = force_generic_plan");
  const std::string plan = "EXPLAIN (FORMAT JSON) EXECUTE listed ('t', 9, 0, 10)";
  CHECK(plain.run(plan).find("\"job_listed\"") != std::string::npos);
  server->run(name, "ANALYZE aiserve.job");
  CHECK(plain.run(plan).find("\"job_listed\"") != std::string::npos);
}

TEST_CASE("turns under an order key are found by index, however many wait for one") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  NewJob one = bench.job("x");
  one.order_key = "key";
  one.order_concurrency = 2;
  REQUIRE(bench.enqueue(std::vector<NewJob>(300, one)).ok());
  // The plan for whatever keys, with and without statistics.
  const RawConnection plain(server->dsn(name));
  plain.run(
      "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off;"
      "SET enable_mergejoin = off; SET jit = off; SET ROLE aiserve_dispatcher");
  const std::string types = " (bytea[], bytea[], bytea[], bigint[]) AS ";
  plain.run("PREPARE lines" + types + pg::kLines + "; PREPARE next" + types + pg::kNextInLine);
  plain.run("SET plan_cache_mode = force_generic_plan");
  for (const bool statistics : {false, true}) {
    if (statistics) server->run(name, "ANALYZE aiserve.job");
    for (const std::string statement : {"lines", "next"}) {
      const std::string plan = plain.run(
          "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON)"
          " EXECUTE " +
          statement + " ('{t}', '{kind}', '{key}', '{}')");
      CHECK_MESSAGE(plan.find("\"job_in_turn\"") != std::string::npos, plan);
      CHECK_MESSAGE(plan.find("\"job_order\"") != std::string::npos, plan);
      for (const char* other : {"job_pkey", "Seq Scan", "Sort"}) {
        CHECK_MESSAGE(plan.find(other) == std::string::npos, plan);
      }
      // Those in front of the first in line.
      const std::string skipped = "\"Rows Removed by Filter\": 2";
      CHECK_MESSAGE(plan.find(skipped) != std::string::npos, plan);
    }
  }
}

TEST_CASE("a job that has gone since it was counted as ready waits since now, not since 1970") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  REQUIRE(bench.enqueue({bench.job("a")}).ok());
  server->run(name, "UPDATE aiserve.job SET state = 2");
  bench.sim.advance(5s);
  const std::vector<std::string_view> kinds{"kind"};
  const auto all = block_on(bench.sim.runtime(), bench.jobs.backlog(kCtx, kinds)).value();
  REQUIRE(all.size() == 1);
  CHECK(all[0].ready == 1);
  CHECK(all[0].oldest == bench.sim.clock().wall_now());
  CHECK(all[0].turn == bench.sim.clock().wall_now());
}

TEST_CASE("a claim that was not committed does not hide its jobs from the next one") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  // Nothing but its claims moves its bounds.
  PostgresJobStore jobs(bench.database, {.notify = false});
  REQUIRE(bench.enqueue({bench.job("first")}).ok());
  bench.sim.advance(1s);
  REQUIRE(bench.enqueue({bench.job("second")}).ok());
  const WorkerId worker = bench.start_worker();
  const auto claim = [&](int n) {
    const std::vector<ClaimQuota> quotas{{bench.tenant, "kind", n}};
    return block_on(bench.sim.runtime(), jobs.claim(kCtx, worker, quotas));
  };
  server->run(name,
              "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
              " 'BEGIN RAISE EXCEPTION ''not now''; END';"
              "CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON aiserve.job"
              " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()");
  REQUIRE_FALSE(claim(2).ok());
  server->run(name, "DROP TRIGGER at_commit ON aiserve.job");
  const auto claimed = claim(1);
  REQUIRE(claimed.ok());
  REQUIRE(claimed->size() == 1);
  CHECK((*claimed)[0].input.text() == "first");
}

TEST_CASE("the dispatcher's role sees what waits, but no input, no result and no event") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresJobs bench(server->dsn(name));
  REQUIRE(bench.enqueue({bench.job("secret")}).ok());
  const auto as = [&](const std::string& role, const std::string& sql) {
    return server->run(name, "BEGIN; SET LOCAL ROLE " + role + ";" + sql);
  };
  CHECK(as("aiserve_dispatcher", "SELECT count(*) FROM aiserve.job") == "1");
  for (const char* sql :
       {"SELECT input FROM aiserve.job_input", "SELECT result FROM aiserve.job_done",
        "SELECT payload FROM aiserve.job_event", "SELECT value FROM aiserve.key_value",
        "DELETE FROM aiserve.job"}) {
    CHECK_MESSAGE(as("aiserve_dispatcher", sql).find("permission denied") != std::string::npos,
                  sql);
  }
  CHECK(as("aiserve_relay", "SELECT count(*) FROM aiserve.job").find("permission denied") !=
        std::string::npos);
  for (const char* table : {"job", "job_input", "job_done", "job_unique"}) {
    CHECK_MESSAGE(as("aiserve_tenant", std::string("SELECT count(*) FROM aiserve.") + table) == "0",
                  "without a tenant");
  }
  CHECK(as("aiserve_tenant",
           "SET LOCAL aiserve.tenant = 'x75'; SELECT count(*) FROM aiserve.job_input") == "0");
  CHECK(as("aiserve_tenant",
           "SET LOCAL aiserve.tenant = 'x74'; SELECT count(*) FROM aiserve.job_input") == "1");
}

TEST_CASE("options of the job store in PostgreSQL are checked") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  PostgresJobs bench(server->dsn(server->new_database()));
  CHECK_THROWS_AS(PostgresJobStore(bench.database, {.max_input = 0}), ConfigError);
  CHECK_THROWS_AS(PostgresJobStore(bench.database, {.max_result = 0}), ConfigError);
  CHECK_THROWS_AS(PostgresJobStore(bench.database, {.retention = 0ms}), ConfigError);
  PostgresJobStore small(bench.database, {.max_input = 2, .max_result = 2});
  const std::vector<NewJob> large{bench.job("xxx")};
  const auto refused = block_on(bench.sim.runtime(), small.enqueue(kCtx, large));
  CHECK(refused.error().code() == Errc::too_large);
}
