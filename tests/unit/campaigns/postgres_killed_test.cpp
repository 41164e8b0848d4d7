// PostgreSQL is killed with -9 at random moments and started again while producers and a worker go
// on: nothing that was acknowledged is lost, and no outcome recorded twice.
#include "support/campaign.hpp"
#include "unit/campaigns/job_load.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using testing::Campaign;
using testing::Dice;
using testing::JobLoad;
using testing::PostgresServer;

TEST_CASE("a server that is killed and restarted under load loses no acknowledged job") {
  PostgresServer* server = testing::server_or_skip();
  if (server == nullptr) return;
  Campaign(50).run([&](std::uint64_t seed) {
    Dice dice(seed);
    JobLoad load(server->dsn(server->new_database()));
    for (int kills = 0; kills < 2; ++kills) {
      load.threads().wait_for_more_acks(10 + dice.roll(30));
      server->kill();
      server->start();
    }
    load.threads().wait_for_more_acks(10);
    load.threads().end();
    load.finish_all();
    load.check();
  });
}
