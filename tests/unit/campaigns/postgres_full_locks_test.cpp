// A server whose table of locks is full (53200, "out of shared memory"): whoever is refused is told
// when to come back, and nothing that was acknowledged is lost.
#include "support/campaign.hpp"
#include "unit/campaigns/job_load.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::Campaign;
using testing::Dice;
using testing::JobLoad;
using testing::PostgresServer;
using testing::RawConnection;

namespace {

/// A session that takes all locks there are, and keeps them after the statement has failed.
class Greedy {
 public:
  Greedy(const PostgresServer& server, const std::string& database)
      : connection_(server.dsn(database)) {}
  std::string take_all() {
    return connection_.run(
        "SELECT count(pg_advisory_lock(77, one::integer)) FROM "
        "generate_series(1, 1000000) AS one");
  }
  void leave() { connection_.run("SELECT pg_advisory_unlock_all()"); }

 private:
  RawConnection connection_;
};

const std::vector<std::string> kFewLocks{"max_locks_per_transaction=10", "max_connections=20"};

}  // namespace

TEST_CASE("a store without locks left is overloaded, says until when, and heals") {
  const auto programs = testing::programs_or_skip();
  if (!programs) return;
  PostgresServer server(*programs, kFewLocks);
  const std::string database = server.new_database();
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.telemetry = &telemetry});
  // One connection, which is there in time: a further one could not be made without locks.
  PostgresJobStore store(runtime, {.dsn = server.dsn(database), .connections = 1});
  runtime.start();
  const Context ctx = Context::background();
  const TenantId tenant("t");
  const std::vector<NewJob> jobs{NewJob(tenant, "kind", Bytes::literal("in"))};
  const auto first = block_on(runtime, store.enqueue(ctx, jobs));
  REQUIRE(first.ok());
  const WorkerId worker = WorkerId::generate();
  REQUIRE(block_on(runtime, store.heartbeat(ctx, worker, 60s)).ok());
  Greedy greedy(server, database);
  REQUIRE(greedy.take_all().find("out of shared memory") != std::string::npos);
  REQUIRE(greedy.take_all().find("out of shared memory") != std::string::npos);
  const auto is_overloaded = [](const auto& result) {
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code() == Errc::overloaded);
    CHECK(result.error().retry_after().has_value());
    CHECK(result.error().detail().find("53200") != std::string::npos);
  };
  const std::vector<ClaimQuota> quotas{{tenant, "kind", 8}};
  is_overloaded(block_on(runtime, store.enqueue(ctx, jobs)));
  is_overloaded(block_on(runtime, store.claim(ctx, worker, quotas)));
  is_overloaded(block_on(runtime, store.maintain(ctx, 100)));
  greedy.leave();
  REQUIRE(block_on(runtime, store.enqueue(ctx, jobs)).ok());
  const auto claimed = block_on(runtime, store.claim(ctx, worker, quotas));
  REQUIRE(claimed.ok());
  CHECK(claimed->size() == 2);
  CHECK(block_on(runtime, store.check(ctx)).ok());
  runtime.shutdown();
}

TEST_CASE("a table of locks that fills up under load loses no acknowledged job") {
  const auto programs = testing::programs_or_skip();
  if (!programs) return;
  PostgresServer server(*programs, kFewLocks);
  Campaign(50).run([&](std::uint64_t seed) {
    Dice dice(seed);
    const std::string database = server.new_database();
    JobLoad load(server.dsn(database));
    Greedy greedy(server, database);
    for (int times = 0; times < 5; ++times) {
      load.threads().wait_for_more_acks(5 + dice.roll(20));
      for (int again = dice.roll(4); again >= 0; --again) greedy.take_all();
      greedy.leave();
    }
    load.threads().wait_for_more_acks(10);
    load.threads().end();
    load.finish_all();
    load.check();
  });
}
