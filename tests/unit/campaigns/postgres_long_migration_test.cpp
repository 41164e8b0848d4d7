// A newer program migrates a database of many jobs, waiting and finished, while an older one works
// with it.
#include "postgres/pg_migration.hpp"
#include "support/campaign.hpp"
#include "unit/campaigns/job_load.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::JobLoad;
using testing::PostgresServer;

namespace {

/// Of each sort: 100,000, and 1,000,000 in a soak.
int rows() { return testing::Campaign::soaks() ? 1'000'000 : 100'000; }

/// Copies of the one that is there, in the name of another tenant.
void multiply(const PostgresServer& server, const std::string& database, const std::string& table) {
  const std::string columns =
      server.run(database,
                 "SELECT string_agg(CASE column_name WHEN 'id' THEN 'one + 1000000000'"
                 " WHEN 'tenant' THEN '''many''::bytea'"
                 " WHEN 'finished_at' THEN 'aiserve.now_ns()'"
                 " WHEN 'run_at' THEN 'aiserve.now_ns() + 2592000000000000' ELSE 'row.' || "
                 "quote_ident(column_name) END, ', '"
                 " ORDER BY ordinal_position) FROM information_schema.columns"
                 " WHERE table_schema = 'aiserve' AND table_name = '" +
                     table + "'");
  const std::string done =
      server.run(database, "INSERT INTO aiserve." + table + " SELECT " + columns +
                               " FROM (SELECT * FROM aiserve." + table +
                               " WHERE tenant = 'seed' LIMIT 1) AS row, generate_series(1, " +
                               std::to_string(rows()) + ") AS one");
  REQUIRE_MESSAGE(done.empty(), done);
}

/// One job that waits for a month, and one that is done.
void sow(const std::string& dsn) {
  testing::PostgresBench bench(dsn);
  PostgresJobStore store(bench.database, {.notify = false});
  const Context ctx = Context::background();
  NewJob later(TenantId("seed"), "later", Bytes::literal("in"));
  later.run_at = bench.sim.clock().wall_now() + std::chrono::hours(24 * 30);
  const std::vector<NewJob> jobs{NewJob(TenantId("seed"), "now", Bytes::literal("in")), later};
  REQUIRE(block_on(bench.sim.runtime(), store.enqueue(ctx, jobs)).ok());
  const WorkerId worker = WorkerId::generate();
  REQUIRE(block_on(bench.sim.runtime(), store.heartbeat(ctx, worker, 60s)).ok());
  const std::vector<ClaimQuota> quotas{{TenantId("seed"), "now", 1}};
  const auto claimed = block_on(bench.sim.runtime(), store.claim(ctx, worker, quotas));
  REQUIRE(claimed.value().size() == 1);
  const std::vector<Settlement> done{Settlement(claimed->at(0), worker, JobOutcomeKind::done)};
  REQUIRE(block_on(bench.sim.runtime(), store.settle(ctx, done)).value().at(0) == Settled::applied);
}

/// As programs do that are started until they run: it may have to make way for those at work.
int migrate(const std::string& dsn) {
  const auto known = pg::migrations();
  std::vector<detail::Migration> steps(known.begin(), known.end());
  steps.push_back({static_cast<int>(steps.size()) + 1, "next",
                   "ALTER TABLE aiserve.job_done ADD COLUMN note text NOT NULL DEFAULT '';"
                   "CREATE INDEX job_done_note ON aiserve.job_done (tenant, note);"
                   "ALTER TABLE aiserve.job ADD COLUMN note text NOT NULL DEFAULT '';"
                   "CREATE INDEX job_note ON aiserve.job (tenant, note);"
                   "UPDATE aiserve.job SET note = 'old' WHERE tenant = 'many'",
                   1});
  for (int starts = 1;; ++starts) {
    try {
      pg::Connection connection({.dsn = dsn});
      connection.open();
      REQUIRE(pg::migrate(connection, steps) == 1);
      return starts;
    } catch (const pg::PgError& error) {
      REQUIRE_MESSAGE(starts < 20, error.what());
    }
  }
}

}  // namespace

TEST_CASE("a database of many jobs is migrated under an older program that works on") {
  PostgresServer* server = testing::server_or_skip();
  if (server == nullptr) return;
  const std::string database = server->new_database();
  const std::string dsn = server->dsn(database);
  sow(dsn);
  for (const char* table : {"job", "job_input", "job_done"}) multiply(*server, database, table);
  JobLoad load(dsn);
  load.threads().wait_for_more_acks(20);
  const int starts = migrate(dsn);
  load.threads().wait_for_more_acks(20);
  load.threads().end();
  load.finish_all();
  load.check();
  const std::string many = std::to_string(rows());
  CHECK(server->run(database, "SELECT count(*) FROM aiserve.job WHERE note = 'old'") == many);
  CHECK(server->run(database, "SELECT count(*) FROM aiserve.job_done WHERE tenant = 'many'") ==
        many);
  MESSAGE(rows(), " jobs of each sort, migrated at start ", starts);
}
