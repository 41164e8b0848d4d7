// Jobs that are enqueued in a transaction of the host.
#include <doctest/doctest.h>

#include "support/lookalikes.hpp"
#include "unit/postgres/job_bench.hpp"

using namespace aiserve;
using testing::PostgresJobs;
using testing::PostgresServer;
using testing::RawConnection;
using testing::server_or_skip;
using namespace std::chrono_literals;

namespace {

const Context& kCtx = Context::background();

/// A service with a table and a connection of its own beside the queue.
struct Host {
  explicit Host(PostgresServer& server)
      : name(server.new_database()), jobs(server.dsn(name)), own(server.dsn(name)) {
    own.run("CREATE TABLE orders (id integer)");
  }

  Result<std::vector<Enqueued>> enqueue(const std::vector<NewJob>& some) {
    return jobs.jobs.enqueue_in(own.get(), some);
  }
  std::string orders() const { return own.run("SELECT count(*) FROM orders"); }
  std::size_t listed() {
    const JobPage all;
    return block_on(jobs.sim.runtime(), jobs.jobs.list(kCtx, jobs.tenant, all)).value().size();
  }

  const std::string name;
  PostgresJobs jobs;
  const RawConnection own;
};

}  // namespace

TEST_CASE("a job is there when the host's transaction commits, and runs") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Host host(*server);
  int told = 0;
  host.jobs.jobs.on_ready([&] { ++told; });
  host.own.run("BEGIN; INSERT INTO orders VALUES (1)");
  const auto made = host.enqueue({host.jobs.job("a"), host.jobs.job("b")});
  REQUIRE_MESSAGE(made.ok(), made.error().to_string());
  CHECK(made->size() == 2);
  host.own.run("INSERT INTO orders VALUES (2)");
  const WorkerId worker = host.jobs.start_worker();
  CHECK(host.listed() == 0);
  CHECK(host.jobs.claim(worker, 2).empty());
  host.own.run("COMMIT");
  CHECK(told == 0);
  host.jobs.jobs.committed();
  CHECK(told == 1);
  const std::vector<ClaimedJob> claimed = host.jobs.claim(worker, 2);
  REQUIRE(claimed.size() == 2);
  CHECK(claimed[0].id == (*made)[0].id);
  CHECK(claimed[1].input.text() == "b");
  CHECK(host.orders() == "2");
  CHECK(block_on(host.jobs.sim.runtime(), host.jobs.jobs.check(kCtx)).ok());
}

TEST_CASE("a queue reads what a host's own transaction enqueued as it is, whatever it looks like") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Host host(*server);
  PostgresJobs& jobs = host.jobs;
  testing::check_lookalikes(jobs.sim, jobs.jobs, jobs.tenant, [&](std::string_view input) {
    host.own.run("BEGIN");
    const auto made = host.enqueue({jobs.job(input)});
    host.own.run("COMMIT");
    return made.value().at(0).id;
  });
}

TEST_CASE("a job never was when the host's transaction is rolled back") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Host host(*server);
  host.own.run("BEGIN; INSERT INTO orders VALUES (1)");
  NewJob job = host.jobs.job("a");
  job.unique = JobUnique("key");
  REQUIRE(host.enqueue({job}).ok());
  host.own.run("ROLLBACK");
  CHECK(host.listed() == 0);
  CHECK(host.orders() == "0");
  CHECK(block_on(host.jobs.sim.runtime(), host.jobs.jobs.check(kCtx)).ok());
  CHECK_FALSE(host.jobs.enqueue({job}).value()[0].existing);
}

TEST_CASE("the host's transaction goes on with its own role and settings") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Host host(*server);
  server->run(host.name,
              "CREATE ROLE shop_" + host.name + "; GRANT ALL ON orders TO shop_" + host.name);
  host.own.run("BEGIN; SET LOCAL ROLE shop_" + host.name +
               "; SET LOCAL statement_timeout = 4321; SET LOCAL enable_seqscan = on"
               "; SET LOCAL row_security = off; SET LOCAL search_path = pg_temp");
  const std::string settings =
      "SELECT concat_ws(' ', current_user, current_setting('statement_timeout'),"
      " current_setting('enable_seqscan'), current_setting('row_security'),"
      " current_setting('search_path'), current_setting('aiserve.tenant', true))";
  const std::string before = host.own.run(settings);
  const auto made = host.enqueue({host.jobs.job("a")});
  REQUIRE_MESSAGE(made.ok(), made.error().to_string());
  CHECK(host.own.run(settings) == before + ' ');  // what was never set is empty from now on
  CHECK(before.find("4321ms") != std::string::npos);
  CHECK(host.own.run("SELECT count(*) FROM aiserve.job").find("permission denied") !=
        std::string::npos);
  host.own.run("ROLLBACK");
  host.own.run("BEGIN");
  REQUIRE(host.enqueue({host.jobs.job("a")}).ok());
  CHECK(host.own.run("SELECT current_user") == "postgres");
  host.own.run("COMMIT");
  CHECK(host.listed() == 1);
}

TEST_CASE("keys and bounds hold in the host's transaction as elsewhere") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Host host(*server);
  NewJob first = host.jobs.job("first");
  first.order_key = "account 17";
  first.unique = JobUnique("order 1");
  first.max_waiting = 2;
  NewJob second = first;
  second.unique = JobUnique("order 2");
  NewJob third = first;
  third.unique = JobUnique("order 3");
  const JobId known = host.jobs.enqueue({first}).value()[0].id;
  host.own.run("BEGIN");
  const auto made = host.enqueue({first, second}).value();
  CHECK(made[0].existing);
  CHECK(made[0].id == known);
  CHECK(host.enqueue({third}).error().code() == Errc::overloaded);
  host.own.run("INSERT INTO orders VALUES (1); COMMIT");
  CHECK(host.orders() == "1");
  CHECK(host.listed() == 2);
  const WorkerId worker = host.jobs.start_worker();
  CHECK(host.jobs.claim(worker, 5).size() == 1);

  host.own.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
  CHECK(host.enqueue({third}).error().code() == Errc::invalid_argument);
  CHECK(host.enqueue({host.jobs.job("plain")}).ok());
  host.own.run("COMMIT");
  CHECK(host.listed() == 3);
}

TEST_CASE("a connection that is in no state to enqueue is told so, and is left as it was") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Host host(*server);
  const std::vector<NewJob> jobs{host.jobs.job("a")};
  const auto refusal = [&](pg_conn* connection) {
    const auto made = host.jobs.jobs.enqueue_in(connection, jobs);
    REQUIRE_FALSE(made.ok());
    return std::string(made.error().message());
  };
  CHECK(refusal(nullptr) == "there is no connection");
  CHECK(refusal(host.own.get()) == "the connection is not in a transaction");
  host.own.run("BEGIN; SELECT 1/0");
  CHECK(refusal(host.own.get()) == "the connection's transaction has failed");
  host.own.run("ROLLBACK; BEGIN");
  REQUIRE(PQsendQuery(host.own.get(), "SELECT 1") == 1);
  CHECK(refusal(host.own.get()) == "a statement runs on the connection");
  while (PGresult* result = PQgetResult(host.own.get())) PQclear(result);
  REQUIRE(PQenterPipelineMode(host.own.get()) == 1);
  CHECK(refusal(host.own.get()) == "the connection is in pipeline mode");
  REQUIRE(PQexitPipelineMode(host.own.get()) == 1);
  host.own.run("ROLLBACK; BEGIN READ ONLY");
  CHECK(refusal(host.own.get()) == "the connection's transaction is read-only");
  CHECK(host.own.run("SELECT 7") == "7");
  host.own.run("COMMIT");
  CHECK(PQisnonblocking(host.own.get()) == 0);

  const RawConnection elsewhere(server->dsn(server->new_database()));
  elsewhere.run("BEGIN");
  CHECK(refusal(elsewhere.get()) == "the connection's database has no job store");
  CHECK(elsewhere.run("SELECT 7") == "7");

  const std::string stranger = "stranger_" + host.name;
  server->run(host.name, "CREATE ROLE " + stranger + " LOGIN");
  const RawConnection other(server->dsn(host.name, "user=" + stranger));
  other.run("BEGIN");
  const auto forbidden = host.jobs.jobs.enqueue_in(other.get(), jobs);
  CHECK(forbidden.error().code() == Errc::permission_denied);
  CHECK(other.run("SELECT 7") == "7");
  CHECK(host.listed() == 0);
}

TEST_CASE(
    "a login that owns nothing enqueues for two tenants with the roles of the library alone") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Host host(*server);
  const std::string clerk = "clerk_" + host.name;
  server->run(host.name, "CREATE ROLE " + clerk +
                             " LOGIN NOINHERIT; GRANT aiserve_tenant,"
                             " aiserve_dispatcher TO " +
                             clerk);
  const RawConnection own(server->dsn(host.name, "user=" + clerk));
  own.run("BEGIN");
  const std::vector<NewJob> jobs{host.jobs.job("a"), NewJob(TenantId("u"), "kind", Bytes())};
  const auto made = host.jobs.jobs.enqueue_in(own.get(), jobs);
  REQUIRE_MESSAGE(made.ok(), made.error().to_string());
  own.run("COMMIT");
  CHECK(host.listed() == 1);
  const JobPage all;
  const TenantId other("u");
  CHECK(block_on(host.jobs.sim.runtime(), host.jobs.jobs.list(kCtx, other, all)).value().size() ==
        1);
}

TEST_CASE("a connection that breaks while jobs are enqueued is broken for its host too") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Host host(*server);
  host.own.run("BEGIN");
  server->run("postgres",
              "SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(host.own.get())) + ")");
  const auto made = host.enqueue({host.jobs.job("a")});
  CHECK(made.error().code() == Errc::unavailable);
  CHECK(PQstatus(host.own.get()) == CONNECTION_BAD);
  CHECK(host.enqueue({host.jobs.job("a")}).error().code() == Errc::unavailable);
  CHECK(host.listed() == 0);
}
