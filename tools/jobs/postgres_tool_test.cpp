// aiserve-jobs as a process, over a database that the library made.
#include <doctest/doctest.h>

#include "postgres/key_lookup.hpp"
#include "tool_process.hpp"
#include "unit/postgres/job_bench.hpp"

using namespace aiserve;
using testing::Ended;
using testing::PostgresJobs;
using testing::PostgresServer;
using testing::server_or_skip;

namespace {

const Context& kCtx = Context::background();

/// A database, and the tool.
class Operator {
 public:
  explicit Operator(PostgresServer& server) : server_(server), name_(server.new_database()) {}

  Ended run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"--store", "postgresql://postgres@127.0.0.1:" +
                                     std::to_string(server_.port()) + '/' + name_});
    return testing::run_jobs_tool(std::move(arguments));
  }
  std::string dsn() const { return server_.dsn(name_); }
  std::string sql(const std::string& text) const { return server_.run(name_, text); }

 private:
  PostgresServer& server_;
  const std::string name_;
};

JobId end_one(PostgresJobs& service, JobOutcomeKind outcome) {
  const WorkerId worker = service.start_worker();
  const ClaimedJob job = service.claim(worker, 1).at(0);
  REQUIRE(service.settle(Settlement(job, worker, outcome)) == Settled::applied);
  return job.id;
}

std::string text(JobId id) { return std::to_string(id.value()); }

}  // namespace

TEST_CASE("a queue in PostgreSQL is counted, listed and shown as JSON") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const Operator mia(*server);
  PostgresJobs service(mia.dsn());
  const auto ids = service.enqueue({service.job("a"), service.job("b")}).value();
  const JobId dead = end_one(service, JobOutcomeKind::discard);
  CHECK(dead == ids[0].id);
  const Ended stats = mia.run({"stats"});
  REQUIRE_MESSAGE(stats.status == 0, stats.errors);
  CHECK(stats.says(R"("kind":"kind","waiting":0,"ready":1,"running":0)"));
  CHECK(stats.says(R"("finished":1,"dead":1)"));
  const Ended only = mia.run({"list", "--tenant", "t", "--state", "discarded"});
  CHECK(only.says("\"id\":\"" + text(dead) + '"'));
  CHECK_FALSE(only.says("\"id\":\"" + text(ids[1].id) + '"'));
  CHECK(mia.run({"list", "--tenant", "other"}).output.empty());
  CHECK(mia.run({"show", "--tenant", "t", text(ids[1].id)}).says(R"("state":"available")"));
  const Ended foreign = mia.run({"show", "--tenant", "other", text(dead)});
  CHECK(foreign.status == 1);
  CHECK(foreign.complains("not_found"));
}

TEST_CASE(
    "jobs in PostgreSQL are cancelled, redriven, paused and pruned, and that is on the record") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const Operator mia(*server);
  PostgresJobs service(mia.dsn());
  const JobId waiting = service.enqueue({service.job("a")}).value()[0].id;
  CHECK(mia.run({"cancel", "--tenant", "t", text(waiting)}).says(R"("state":"cancelled")"));
  CHECK(service.info(waiting).value().state == JobState::cancelled);
  CHECK(mia.run({"redrive", "--tenant", "t", text(waiting)}).status == 0);
  CHECK(end_one(service, JobOutcomeKind::discard) == waiting);
  CHECK(mia.run({"redrive", "--tenant", "t", "--kind", "kind"}).says(R"({"redriven":1})"));
  CHECK(mia.run({"pause", "--kind", "kind"}).says(R"("paused":true})"));
  CHECK(service.claim(service.start_worker(), 1).empty());
  CHECK(mia.run({"resume", "--all"}).status == 0);
  CHECK(end_one(service, JobOutcomeKind::done) == waiting);
  CHECK(mia.run({"prune", "--older-than", "10000d"}).says(R"({"pruned":0})"));
  // The service's clock is simulated, and long ago.
  CHECK(mia.run({"prune", "--older-than", "1s"}).says(R"({"pruned":1})"));
  CHECK(service.info(waiting).error().code() == Errc::not_found);

  PostgresAuditLog audit(service.database);
  const TenantId own("aiserve-jobs");
  const auto records = block_on(service.sim.runtime(), audit.read(kCtx, own, 0, 1000)).value();
  REQUIRE(records.size() == 7);
  CHECK(records[0].entry().actor() == "operator:mia");
  CHECK(records[0].entry().action() == "job.cancel");
  CHECK(records[0].entry().object() == "job/t/" + text(waiting));
  CHECK(records[6].entry().action() == "job.prune");
}

TEST_CASE("a bulk redrive goes past dead letters whose order key somebody holds, and says so") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const Operator mia(*server);
  PostgresJobs service(mia.dsn());
  NewJob ordered = service.job("b");
  ordered.order_key = "theirs";
  REQUIRE(service.enqueue({service.job("a"), ordered, service.job("c")}).ok());
  for (int i = 0; i < 3; ++i) end_one(service, JobOutcomeKind::discard);
  const testing::RawConnection host(mia.dsn());
  const std::int64_t number = pg::KeyLookup::lock_of_order({"t", "kind", "theirs"});
  host.run("BEGIN; SELECT pg_advisory_xact_lock(" + std::to_string(number) + ")");
  const std::vector<std::string> redrive{"redrive", "--tenant", "t", "--kind", "kind"};
  const Ended some = mia.run(redrive);
  CHECK(some.status == 1);
  CHECK(some.says(R"({"redriven":2})"));
  CHECK(some.complains("overloaded"));
  host.run("COMMIT");
  const Ended rest = mia.run(redrive);
  CHECK(rest.status == 0);
  CHECK(rest.says(R"({"redriven":1})"));
}

TEST_CASE("services hear of jobs that an operator lets run, once per command") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const Operator mia(*server);
  PostgresJobs service(mia.dsn());
  REQUIRE(service.enqueue({service.job("a"), service.job("b")}).ok());
  const JobId one = end_one(service, JobOutcomeKind::discard);
  const JobId two = end_one(service, JobOutcomeKind::discard);
  const testing::RawConnection listening(mia.dsn());
  listening.run("LISTEN aiserve_job_ready");
  const auto heard = [&] {
    listening.run("SELECT 1");
    int count = 0;
    while (PGnotify* const notify = PQnotifies(listening.get())) {
      ++count;
      PQfreemem(notify);
    }
    return count;
  };
  REQUIRE(mia.run({"redrive", "--tenant", "t", text(one), text(two)}).status == 0);
  CHECK(heard() == 1);
  REQUIRE(mia.run({"pause", "--all"}).status == 0);
  CHECK(heard() == 0);
  REQUIRE(mia.run({"resume", "--all"}).status == 0);
  CHECK(heard() == 1);
  CHECK_MESSAGE(mia.run({"redrive", "--tenant", "t", "4711"}).status == 1, "there is none");
  CHECK(mia.run({"stats"}).status == 0);
}

TEST_CASE("a schema in PostgreSQL is migrated when told so, and only then") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const Operator mia(*server);
  const Ended absent = mia.run({"stats"});
  CHECK(absent.status == 2);
  CHECK(absent.complains("migrations are pending"));
  CHECK(mia.run({"migrate", "--dry-run"}).says(R"({"pending":["stores","jobs")"));
  CHECK(mia.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'aiserve'") == "0");
  CHECK(mia.run({"migrate"}).says(R"({"applied":["stores","jobs")"));
  CHECK(mia.run({"migrate", "--dry-run"}).says(R"({"pending":[]})"));
  CHECK(mia.run({"stats"}).status == 0);
}

TEST_CASE("a sound queue in PostgreSQL is told from one that was meddled with") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const Operator mia(*server);
  PostgresJobs service(mia.dsn());
  NewJob first = service.job("a");
  first.order_key = "key";
  REQUIRE(service.enqueue({first, first}).ok());
  REQUIRE(mia.run({"pause", "--all"}).status == 0);
  CHECK(mia.run({"verify"}).says(R"({"ok":true,"audit_entries":1})"));
  const std::string blocked = mia.sql("UPDATE aiserve.job SET blocked = 1 RETURNING 1");
  REQUIRE(blocked == "1");
  const Ended stuck = mia.run({"verify"});
  CHECK(stuck.status == 1);
  CHECK(stuck.complains("2 jobs wait for nobody"));
  mia.sql("UPDATE aiserve.job SET blocked = 0");
  mia.sql("DELETE FROM aiserve.job_count");
  const Ended miscounted = mia.run({"verify", "--full"});
  CHECK(miscounted.status == 1);
  CHECK(miscounted.complains("1 queues are miscounted"));
}

TEST_CASE("whoever wants a file of a store in PostgreSQL is sent to the server's own tools") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const Operator mia(*server);
  const PostgresJobs service(mia.dsn());
  const Ended asked = mia.run({"backup", "copy.db"});
  CHECK(asked.status == 1);
  CHECK(asked.complains("pg_dump --schema=aiserve"));
}
