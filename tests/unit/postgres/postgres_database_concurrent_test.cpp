#include <atomic>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/postgres/postgres_stores.hpp"
#include "support/contended_key.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using testing::PostgresServer;
using testing::server_or_skip;

namespace {

const TenantId kTenant("t");
const Context& kCtx = Context::background();

struct Threads {
  explicit Threads(PostgresServer& server)
      : telemetry({.log_sink = [](LogLevel, std::string_view) {}}),
        runtime({.io_threads = 2, .telemetry = &telemetry}),
        database(runtime, {.dsn = server.dsn(server.new_database()), .connections = 3}),
        values(database) {
    runtime.start();
  }
  ~Threads() { runtime.shutdown(); }

  Telemetry telemetry;
  Runtime runtime;
  PostgresDatabase database;
  PostgresKeyValueStore values;
};

}  // namespace

TEST_CASE("of many that compare and set one key over several connections each succeeds in turn") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Threads bench(*server);
  testing::ContendedKey(bench.runtime, bench.values).count_in_turn(10);
  CHECK(bench.database.stats().in_doubt == 0);
}

TEST_CASE("of many that add to one key over several connections none is lost, none too many") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Threads bench(*server);
  testing::ContendedKey(bench.runtime, bench.values).add_up_to(80, 25);
}

TEST_CASE("a shutdown answers every operation that waits for PostgreSQL") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  std::atomic<int> answered{0};
  constexpr int kWrites = 200;
  {
    Threads bench(*server);
    const auto put = [&](const Context& ctx, const int& i) -> Async<void> {
      const StoreKey key(kTenant, std::to_string(i));
      const Bytes value = Bytes::literal("v");
      const PutOptions any;
      const auto done = co_await bench.values.put(ctx, key, value, any);
      ++answered;
      co_return success();
    };
    for (int i = 0; i < kWrites; ++i) spawn(bench.runtime, kCtx, put, i);
    bench.runtime.shutdown();
  }
  CHECK(answered.load() == kWrites);
}
