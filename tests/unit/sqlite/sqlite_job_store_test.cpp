#include "aiserve/sqlite/sqlite_job_store.hpp"

#include <fstream>
#include <regex>
#include <set>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "aiserve/testing/job_store_conformance.hpp"
#include "support/lookalikes.hpp"
#include "support/run_cases.hpp"
#include "unit/sqlite/stores_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::JobStoreSides;
using testing::StoresBench;
using testing::TemporaryFolder;

namespace {

const TenantId kTenant("t");
const Context& kCtx = Context::background();

NewJob job(std::string_view input) { return NewJob(kTenant, "kind", Bytes::copy(input)); }

std::vector<ClaimedJob> claim(StoresBench& bench, WorkerId worker, int n) {
  const std::vector<ClaimQuota> quotas{{kTenant, "kind", n}};
  return block_on(bench.sim.runtime(), bench.jobs.claim(kCtx, worker, quotas)).value();
}

WorkerId start_worker(StoresBench& bench) {
  const WorkerId worker = WorkerId::generate();
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s)).ok());
  return worker;
}

Settled settle(StoresBench& bench, const Settlement& settlement) {
  const std::vector<Settlement> one{settlement};
  return block_on(bench.sim.runtime(), bench.jobs.settle(kCtx, one)).value().at(0);
}

/// A job store over a database of its own, seen from both sides.
class Fresh {
 public:
  explicit Fresh(Runtime& runtime)
      : folder_(std::make_unique<TemporaryFolder>()),
        store_(std::make_unique<SqliteJobStore>(
            runtime, SqliteDatabaseOptions{.path = folder_->file("jobs.db")})),
        sides_(std::make_unique<JobStoreSides>(JobStoreSides{*store_, *store_, store_.get()})) {}
  JobStoreSides& operator*() const { return *sides_; }

 private:
  std::unique_ptr<TemporaryFolder> folder_;
  std::unique_ptr<SqliteJobStore> store_;
  std::unique_ptr<JobStoreSides> sides_;
};

/// What the counters of the file say, against a count of its rows.
void check_counts(const TemporaryFolder& folder) {
  SQLite::Database file(folder.file("stores.db"));
  const auto value = [&](const char* sql) { return file.execAndGet(sql).getInt(); };
  CHECK(value("SELECT coalesce(sum(waiting), 0) FROM job_count") ==
        value("SELECT count(*) FROM job WHERE state IN (0, 3)"));
  CHECK(value("SELECT coalesce(sum(ready), 0) FROM job_count") ==
        value("SELECT count(*) FROM job WHERE state = 1"));
  CHECK(value("SELECT coalesce(sum(running), 0) FROM job_count") ==
        value("SELECT count(*) FROM job WHERE state = 2"));
  CHECK(value("SELECT count(*) FROM job_input") ==
        value("SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM job_done)"));
}

/// Of jobs whose order keys say how many may have their turn.
void check_turns(const TemporaryFolder& folder) {
  SQLite::Database file(folder.file("stores.db"));
  const auto value = [&](const char* sql) { return file.execAndGet(sql).getInt(); };
  CHECK_MESSAGE(value("SELECT count(*) FROM job AS behind WHERE blocked > 0 AND NOT EXISTS"
                      " (SELECT 1 FROM job AS first WHERE first.order_key = behind.order_key"
                      " AND first.blocked = 0)") == 0,
                "nobody waits for nobody");
  CHECK_MESSAGE(value("SELECT count(*) FROM (SELECT 1 FROM job WHERE blocked = 0"
                      " AND order_key IS NOT NULL GROUP BY order_key"
                      " HAVING count(*) > CAST(order_key AS INTEGER))") == 0,
                "more have their turn than may");
}

}  // namespace

TEST_CASE("the job store in SQLite does what every one has to do") {
  testing::run_cases(testing::job_store_cases(),
                     [](testing::SimRuntime& sim) { return Fresh(sim.runtime()); });
}

TEST_CASE("the job store in SQLite is controlled as every one has to be") {
  testing::run_cases(testing::job_operator_cases(),
                     [](testing::SimRuntime& sim) { return Fresh(sim.runtime()); });
}

TEST_CASE("a kind without unfinished jobs leaves no counter") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  REQUIRE(bench.enqueue({job("a")}).ok());
  const WorkerId worker = start_worker(bench);
  const std::vector<ClaimedJob> claimed = claim(bench, worker, 1);
  REQUIRE(settle(bench, Settlement(claimed[0], worker, JobOutcomeKind::done)) == Settled::applied);
  SQLite::Database file(folder.file("stores.db"));
  CHECK(file.execAndGet("SELECT count(*) FROM job_count").getInt() == 0);
}

TEST_CASE("jobs are enqueued in a host's own transaction, with it or not at all") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  int told = 0;
  bench.jobs.on_ready([&] { ++told; });
  SQLite::Database host(folder.file("stores.db"), SQLite::OPEN_READWRITE, 5'000);
  host.exec("CREATE TABLE orders (name TEXT)");
  const std::vector<NewJob> jobs{job("a"), job("b")};
  const auto in_transaction = [&](const char* end) {
    host.exec("BEGIN IMMEDIATE");
    host.exec("INSERT INTO orders VALUES ('x')");
    const auto made = bench.jobs.enqueue_in(host.getHandle(), jobs);
    host.exec(end);
    return made.value();
  };
  const auto undone = in_transaction("ROLLBACK");
  CHECK(bench.info(undone[0].id).error().code() == Errc::not_found);
  const auto kept = in_transaction("COMMIT");
  REQUIRE(kept.size() == 2);
  CHECK(bench.info(kept[1].id).value().state == JobState::available);
  CHECK(host.execAndGet("SELECT count(*) FROM orders").getInt() == 1);
  check_counts(folder);
  CHECK(told == 0);
  bench.jobs.committed();
  CHECK(told == 1);
  const WorkerId worker = start_worker(bench);
  CHECK(claim(bench, worker, 10).size() == 2);
}

TEST_CASE("a queue reads what a host's own transaction enqueued as it is, whatever it looks like") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  SQLite::Database host(folder.file("stores.db"), SQLite::OPEN_READWRITE, 5'000);
  testing::check_lookalikes(bench.sim, bench.jobs, kTenant, [&](std::string_view input) {
    const std::vector<NewJob> one{job(input)};
    host.exec("BEGIN IMMEDIATE");
    const auto made = bench.jobs.enqueue_in(host.getHandle(), one);
    host.exec("COMMIT");
    return made.value().at(0).id;
  });
}

TEST_CASE(
    "a host's connection without a transaction, of another file, or jobs too many are refused") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  SQLite::Database host(folder.file("stores.db"), SQLite::OPEN_READWRITE, 5'000);
  const std::vector<NewJob> one{job("a")};
  CHECK(bench.jobs.enqueue_in(host.getHandle(), one).error().code() == Errc::invalid_argument);
  SQLite::Database other(":memory:", SQLite::OPEN_READWRITE);
  other.exec("BEGIN");
  CHECK(bench.jobs.enqueue_in(other.getHandle(), one).error().code() == Errc::invalid_argument);
  NewJob bad = job("a");
  bad.kind.clear();
  NewJob bounded = job("a");
  bounded.max_waiting = 1;
  host.exec("BEGIN IMMEDIATE");
  const std::vector<NewJob> invalid{bad};
  CHECK(bench.jobs.enqueue_in(host.getHandle(), invalid).error().code() == Errc::invalid_argument);
  const std::vector<NewJob> many{bounded, bounded};
  CHECK(bench.jobs.enqueue_in(host.getHandle(), many).error().code() == Errc::overloaded);
  CHECK(bench.jobs.enqueue_in(host.getHandle(), one).ok());
  host.exec("COMMIT");
  check_counts(folder);
}

TEST_CASE("a pause survives a restart") {
  const TemporaryFolder folder;
  {
    StoresBench bench(folder);
    REQUIRE(block_on(bench.sim.runtime(), bench.jobs.pause(kCtx, "kind")).ok());
  }
  StoresBench bench(folder);
  REQUIRE(bench.enqueue({job("a")}).ok());
  const WorkerId worker = start_worker(bench);
  CHECK(claim(bench, worker, 1).empty());
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.resume(kCtx, "kind")).ok());
  CHECK(claim(bench, worker, 1).size() == 1);
}

TEST_CASE("jobs survive a restart in whatever state they are, and leases go on") {
  const TemporaryFolder folder;
  const WorkerId worker = WorkerId::generate();
  std::vector<Enqueued> ids;
  ClaimedJob running;
  {
    StoresBench bench(folder);
    ids = bench.enqueue({job("done"), job("running"), job("waiting")}).value();
    REQUIRE(block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s)).ok());
    const std::vector<ClaimedJob> claimed = claim(bench, worker, 2);
    REQUIRE(claimed.size() == 2);
    Settlement done(claimed[0], worker, JobOutcomeKind::done);
    done.result = Bytes::literal("result");
    REQUIRE(settle(bench, done) == Settled::applied);
    running = claimed[1];
  }
  StoresBench bench(folder);
  CHECK(bench.info(ids[0].id).value().result->text() == "result");
  const auto input = [&](JobId id) {
    return block_on(bench.sim.runtime(), bench.jobs.input(kCtx, kTenant, id));
  };
  CHECK(input(ids[0].id).value().text() == "done");
  CHECK(input(ids[1].id).value().text() == "running");
  CHECK(input(JobId(999)).error().code() == Errc::not_found);
  CHECK(bench.info(ids[1].id).value().state == JobState::running);
  CHECK(bench.info(ids[2].id).value().state == JobState::available);
  CHECK(settle(bench, Settlement(running, worker, JobOutcomeKind::done)) == Settled::applied);
  check_counts(folder);
}

TEST_CASE("events of a settlement wait in the outbox until they are acknowledged") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  REQUIRE(bench.enqueue({job("a"), job("b")}).ok());
  const WorkerId worker = start_worker(bench);
  for (const ClaimedJob& one : claim(bench, worker, 2)) {
    Settlement done(one, worker, JobOutcomeKind::done);
    done.events = {{"job.done", one.input}, {"job.told", Bytes::literal("x")}};
    REQUIRE(settle(bench, done) == Settled::applied);
    REQUIRE(settle(bench, done) == Settled::stale);
  }
  const auto peek = [&] { return block_on(bench.sim.runtime(), bench.jobs.peek(kCtx, 3)).value(); };
  std::vector<OutboxEvent> events = peek();
  REQUIRE(events.size() == 3);
  CHECK(events[0].payload.text() == "a");
  CHECK(events[2].payload.text() == "b");
  CHECK(events[2].tenant == kTenant);
  CHECK(peek().size() == 3);
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.ack(kCtx, events[2].sequence)).ok());
  events = peek();
  REQUIRE(events.size() == 1);
  CHECK(events[0].topic == "job.told");
}

TEST_CASE("finished jobs are kept for the retention and then deleted with all that is theirs") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  SqliteJobStore brief(bench.database, {.retention = 10s});
  const auto ids = bench.enqueue({job("a"), job("b")}).value();
  const WorkerId worker = start_worker(bench);
  const std::vector<ClaimedJob> claimed = claim(bench, worker, 1);
  REQUIRE(settle(bench, Settlement(claimed[0], worker, JobOutcomeKind::done)) == Settled::applied);
  bench.sim.advance(9s);
  CHECK(block_on(bench.sim.runtime(), brief.maintain(kCtx, 10)).value().pruned == 0);
  bench.sim.advance(2s);
  CHECK(block_on(bench.sim.runtime(), brief.maintain(kCtx, 10)).value().pruned == 1);
  CHECK(bench.info(ids[0].id).error().code() == Errc::not_found);
  CHECK(bench.info(ids[1].id).ok());
  check_counts(folder);
}

TEST_CASE("whoever waits for ready jobs is told after the commit that made them") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  int told = 0;
  bench.jobs.on_ready([&] { ++told; });
  REQUIRE(bench.enqueue({job("a"), job("b")}).ok());
  CHECK(told == 1);
  NewJob later = job("c");
  later.run_at = bench.sim.clock().wall_now() + 1h;
  REQUIRE(bench.enqueue({later}).ok());
  CHECK(told == 1);
  bench.sim.advance(1h);
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.maintain(kCtx, 10)).ok());
  CHECK(told == 2);
}

TEST_CASE("a lease of another boot has ended") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  REQUIRE(bench.enqueue({job("a")}).ok());
  const WorkerId worker = start_worker(bench);
  REQUIRE(claim(bench, worker, 1).size() == 1);
  {
    SQLite::Database file(folder.file("stores.db"), SQLite::OPEN_READWRITE);
    file.exec("UPDATE job_worker SET lease_boot = lease_boot + 1");
  }
  CHECK(block_on(bench.sim.runtime(), bench.jobs.maintain(kCtx, 10)).value().rescued == 1);
  CHECK(block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s)).value().lost);
}

TEST_CASE("the counters stay those of the rows through four thousand random calls") {
  const TemporaryFolder folder;
  StoresBench bench({.path = folder.file("stores.db"), .sync = SqliteSync::normal});
  std::uint64_t seed = 20'261'122;
  const auto random = [&](std::uint64_t below) {
    seed = seed * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    return (seed >> 33) % below;
  };
  std::vector<std::pair<ClaimedJob, WorkerId>> running;
  WorkerId worker = start_worker(bench);
  std::set<JobId> finished;
  for (int i = 0; i < 4'000; ++i) {
    if (i % 100 == 0) check_turns(folder);
    switch (random(6)) {
      case 0: {
        NewJob one = job("x");
        one.max_attempts = 1 + static_cast<int>(random(3));
        if (random(3) == 0) {
          one.order_concurrency = 1 + static_cast<int>(random(4));
          one.order_key = std::to_string(one.order_concurrency);
        }
        if (random(3) == 0) one.unique = JobUnique(std::to_string(random(9)));
        if (random(4) == 0) one.run_at = bench.sim.clock().wall_now() + 5s;
        REQUIRE(bench.enqueue({one}).ok());
        break;
      }
      case 1:
        for (ClaimedJob& one : claim(bench, worker, 1 + static_cast<int>(random(4)))) {
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
        const JobId id = running[at].first.id;
        if (settle(bench, settlement) == Settled::applied && kind == JobOutcomeKind::done) {
          CHECK_MESSAGE(finished.insert(id).second, "an outcome was recorded twice");
        }
        if (random(2) == 0) running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      }
      case 4: {
        const JobId id(static_cast<std::int64_t>(random(2'000)));
        const JobAction action = random(2) == 0 ? JobAction::cancel : JobAction::redrive;
        (void)block_on(bench.sim.runtime(), bench.jobs.control(kCtx, kTenant, id, action));
        break;
      }
      default:
        bench.sim.advance(std::chrono::milliseconds(random(2'000)));
        if (random(20) == 0) worker = start_worker(bench);
        (void)block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s));
        REQUIRE(block_on(bench.sim.runtime(), bench.jobs.maintain(kCtx, 100)).ok());
    }
  }
  CHECK(finished.size() > 50);
  check_counts(folder);
}

TEST_CASE("turns under an order key are found by index") {
  const TemporaryFolder folder;
  { const StoresBench bench(folder); }
  SQLite::Database file(folder.file("stores.db"));
  std::ifstream in(std::filesystem::path(AISERVE_ROOT) / "src" / "sqlite" / "job_order.cpp");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::regex literal(R"re(R"sql\(([\s\S]*?)\)sql")re");
  int statements = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), literal), end; it != end; ++it) {
    ++statements;
    SQLite::Statement plan(file, "EXPLAIN QUERY PLAN " + (*it)[1].str());
    const std::string by_key = " (tenant=? AND kind=? AND order_key=?)";
    int searches = 0;
    while (plan.executeStep()) {
      const std::string step = plan.getColumn("detail").getString();
      CHECK_MESSAGE(step.find("TEMP B-TREE") == std::string::npos, step);
      const bool in_turn = step.find("INDEX job_in_turn" + by_key) != std::string::npos;
      searches += in_turn || step.find("INDEX job_order" + by_key) != std::string::npos ? 1 : 0;
    }
    CHECK_MESSAGE(searches == 1, (*it)[1].str());
  }
  CHECK(statements == 3);
}

TEST_CASE("no statement of the stores touches a tenant's rows without naming the tenant") {
  const std::filesystem::path sources = std::filesystem::path(AISERVE_ROOT) / "src" / "sqlite";
  const std::regex literal(R"re(R"sql\(([\s\S]*?)\)sql")re");
  const std::regex by_tenant(
      R"(tenant = \?[0-9]|\(tenant, |, tenant, |SELECT 1 FROM sqlite_schema)");
  const std::regex excused(R"(/\* (across tenants: [a-z ']+|no tenant's data|schema) \*/)");
  const std::regex no_rows(
      R"(^(BEGIN|COMMIT|PRAGMA|CREATE TABLE IF NOT EXISTS migration_history))");
  std::size_t statements = 0;
  std::set<std::string> reasons;
  for (const auto& entry : std::filesystem::directory_iterator(sources)) {
    // The cache tier's own file; its keys hold the tenant.
    if (entry.path().filename().string().find("cache") != std::string::npos) continue;
    std::ifstream in(entry.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    for (std::sregex_iterator it(text.begin(), text.end(), literal), end; it != end; ++it) {
      const std::string sql = (*it)[1];
      ++statements;
      std::smatch reason;
      if (std::regex_search(sql, reason, excused)) reasons.insert(reason[1]);
      CHECK_MESSAGE((std::regex_search(sql, by_tenant) || std::regex_search(sql, excused) ||
                     std::regex_search(sql, no_rows)),
                    entry.path().filename().string(), ": ", sql);
    }
    const std::regex hidden(R"("(SELECT|INSERT|UPDATE|DELETE) [^"]*")");
    for (std::sregex_iterator it(text.begin(), text.end(), hidden), end; it != end; ++it) {
      CHECK_MESSAGE(it->str() == "\"SELECT count(*) FROM sqlite_schema\"", it->str());
    }
  }
  CHECK(statements > 50);
  const std::set<std::string> allowed{"schema",
                                      "no tenant's data",
                                      "across tenants: expiry",
                                      "across tenants: due",
                                      "across tenants: leases",
                                      "across tenants: dispatcher",
                                      "across tenants: operator",
                                      "across tenants: retention",
                                      "across tenants: a worker's own jobs",
                                      "across tenants: outbox"};
  CHECK(reasons == allowed);
}

TEST_CASE("options of the job store are checked") {
  const TemporaryFolder folder;
  StoresBench bench(folder);
  CHECK_THROWS_AS(SqliteJobStore(bench.database, {.max_input = 0}), ConfigError);
  CHECK_THROWS_AS(SqliteJobStore(bench.database, {.max_result = 0}), ConfigError);
  CHECK_THROWS_AS(SqliteJobStore(bench.database, {.retention = 0ms}), ConfigError);
  SqliteJobStore small(bench.database, {.max_input = 2, .max_result = 2});
  const std::vector<NewJob> large{job("xxx")};
  const auto refused = block_on(bench.sim.runtime(), small.enqueue(kCtx, large));
  CHECK(refused.error().code() == Errc::too_large);
}
