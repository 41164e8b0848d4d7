// The primary of two clusters is killed under load and the standby promoted. Commits waited for the
// standby, so that nothing that was acknowledged is lost; clients find the new primary themselves.
#include "support/campaign.hpp"
#include "unit/campaigns/job_load.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using testing::Campaign;
using testing::Dice;
using testing::JobLoad;
using testing::PostgresServer;

TEST_CASE("a standby that is promoted under load has every job that was acknowledged") {
  const auto programs = PostgresServer::programs();
  if (!programs) {
    MESSAGE("SKIPPED: PostgreSQL is not installed here");
    return;
  }
  Campaign(10).run([&](std::uint64_t seed) {
    Dice dice(seed);
    PostgresServer primary(*programs);
    const PostgresServer standby(*programs, primary);
    const std::string database = primary.new_database();
    primary.wait_for_each_commit_of(standby);
    JobLoad load(PostgresServer::dsn_of_either(primary, standby, database));
    load.wait_for_more_acks(10 + dice.roll(30));
    primary.kill();
    REQUIRE(standby.run("postgres", "SELECT pg_promote()") == "t");
    load.wait_for_more_acks(20);
    load.end();
    load.finish_all();
    load.check();
    CHECK(standby.run(database, "SELECT count(*) FROM aiserve.job") == "0");
  });
}
