#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/postgres/postgres_stores.hpp"
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
  constexpr int kAdders = 4;
  constexpr int kEach = 10;
  const StoreKey key(kTenant, "counter");
  const auto add_one = [&]() -> bool {
    const auto old = block_on(bench.runtime, bench.values.get(kCtx, key)).value();
    const int count = old ? std::stoi(old->value().to_string()) : 0;
    const PutOptions same{.if_version = old ? old->version() : PutOptions::kAbsent};
    const Bytes value = Bytes::copy(std::to_string(count + 1));
    return block_on(bench.runtime, bench.values.put(kCtx, key, value, same)).ok();
  };
  std::vector<std::thread> adders;
  adders.reserve(kAdders);
  for (int i = 0; i < kAdders; ++i) {
    adders.emplace_back([&] {
      for (int done = 0; done < kEach;) done += add_one() ? 1 : 0;
    });
  }
  for (std::thread& adder : adders) adder.join();
  const auto value = block_on(bench.runtime, bench.values.get(kCtx, key)).value();
  CHECK(value->value().text() == std::to_string(kAdders * kEach));
  CHECK(bench.database.stats().in_doubt == 0);
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
