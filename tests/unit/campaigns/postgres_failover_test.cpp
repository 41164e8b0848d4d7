// The primary of two clusters is killed under load and the standby promoted. Commits waited for the
// standby, so that nothing that was acknowledged is lost; clients find the new primary themselves.
#include "support/campaign.hpp"
#include "unit/campaigns/job_load.hpp"
#include "unit/campaigns/offload_load.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using testing::Campaign;
using testing::Dice;
using testing::JobLoad;
using testing::LoadThreads;
using testing::OffloadLoad;
using testing::PostgresServer;
using testing::TemporaryFolder;

namespace {

struct TwoClusters {
  explicit TwoClusters(const std::string& programs)
      : primary(programs), standby(programs, primary), database(primary.new_database()) {
    primary.wait_for_each_commit_of(standby);
  }
  std::string dsn() const { return PostgresServer::dsn_of_either(primary, standby, database); }
  void fail_over(LoadThreads& load, std::uint64_t seed) {
    load.wait_for_more_acks(20 + Dice(seed).roll(30));
    primary.kill();
    REQUIRE(standby.run("postgres", "SELECT pg_promote()") == "t");
    load.wait_for_more_acks(20);
    load.end();
  }

  PostgresServer primary;
  const PostgresServer standby;
  const std::string database;
};

}  // namespace

TEST_CASE("a standby that is promoted under load has every job that was acknowledged") {
  const auto programs = testing::programs_or_skip();
  if (!programs) return;
  Campaign(10).run([&](std::uint64_t seed) {
    TwoClusters clusters(*programs);
    JobLoad load(clusters.dsn());
    clusters.fail_over(load.threads(), seed);
    load.finish_all();
    load.check();
    CHECK(clusters.standby.run(clusters.database, "SELECT count(*) FROM aiserve.job") == "0");
  });
}

TEST_CASE("after a failover every acknowledged job has its input and its result as objects") {
  const auto programs = testing::programs_or_skip();
  if (!programs) return;
  Campaign(10).run([&](std::uint64_t seed) {
    const TemporaryFolder folder;
    TwoClusters clusters(*programs);
    OffloadLoad load(clusters.dsn(), folder);
    clusters.fail_over(load.threads(), seed);
    load.check();
  });
}
