#include <doctest/doctest.h>

#include "aiserve/storage/memory_idempotency_store.hpp"
#include "support/run_cases.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

const Context& kCtx = Context::background();

struct Bench {
  Bench() { sim.start(); }

  Result<std::int64_t> put(KeyValueStore& store, std::string name, std::size_t size,
                           PutOptions options = {}) {
    const StoreKey key(TenantId("t"), std::move(name));
    const Bytes value = Bytes::copy(std::string(size, 'v'));
    return block_on(sim.runtime(), store.put(kCtx, key, value, options));
  }
  Result<IdempotentRun> begin(IdempotencyStore& store, std::string name) {
    const StoreKey key(TenantId("t"), std::move(name));
    const Bytes print = Bytes::copy(std::string(2'000, 'f'));
    return block_on(sim.runtime(), store.begin(kCtx, key, print, 1s));
  }

  testing::SimRuntime sim;
};

/// Time that leaps once, after it was looked at so many times.
struct LeapingClock final : Clock {
  TimePoint now() const noexcept override {
    if (left > 0 && --left == 0) at += 10s;
    return at;
  }
  WallTime wall_now() const noexcept override { return {}; }

  mutable TimePoint at{1h};
  mutable int left = 0;
};

}  // namespace

TEST_CASE("the key value store in memory does what every one has to do") {
  testing::run_cases(testing::key_value_store_cases(), [](testing::SimRuntime& sim) {
    return std::make_unique<MemoryKeyValueStore>(MemoryStoreOptions{.clock = &sim.clock()});
  });
}

TEST_CASE("the idempotency store in memory does what every one has to do") {
  testing::run_cases(testing::idempotency_store_cases(), [](testing::SimRuntime& sim) {
    return std::make_unique<MemoryIdempotencyStore>(MemoryStoreOptions{.clock = &sim.clock()});
  });
}

TEST_CASE("what expires in the middle of its own write is counted once") {
  for (int looks = 1; looks <= 4; ++looks) {
    LeapingClock clock;
    MemoryKeyValueStore store({.capacity = 100'000, .clock = &clock});
    Bench bench;
    REQUIRE(bench.put(store, "kept", 40'000).ok());
    REQUIRE(bench.put(store, "brief", 40'000, {.ttl = 1s}).ok());
    clock.left = looks;
    CHECK(bench.put(store, "brief", 65'000).error().code() == Errc::overloaded);
    CHECK(bench.put(store, "more", 65'000).error().code() == Errc::overloaded);
    CHECK(bench.put(store, "more", 10'000).ok());
  }
}

TEST_CASE("a full store in memory refuses writes, keeps what it has and heals") {
  Bench bench;
  MemoryKeyValueStore store({.capacity = 10'000, .clock = &bench.sim.clock()});
  REQUIRE(bench.put(store, "brief", 4'000, {.ttl = 1s}).ok());
  REQUIRE(bench.put(store, "kept", 4'000).ok());
  const Result<std::int64_t> full = bench.put(store, "more", 4'000);
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().code() == Errc::overloaded);
  CHECK(full.error().retry_after().has_value());
  CHECK_MESSAGE(bench.put(store, "kept", 4'100).ok(), "what it replaces makes room");
  bench.sim.clock().advance(1s);
  CHECK_MESSAGE(bench.put(store, "more", 4'000).ok(), "what expired makes room");
  CHECK(store.bytes() <= 10'000);
}

TEST_CASE("a value over the limit is too large") {
  Bench bench;
  MemoryKeyValueStore store({.max_value = 10});
  CHECK(bench.put(store, "k", 10).ok());
  CHECK(bench.put(store, "k", 11).error().code() == Errc::too_large);
}

TEST_CASE("a full idempotency store refuses new runs until old ones expire") {
  Bench bench;
  MemoryIdempotencyStore store({.capacity = 5'000, .clock = &bench.sim.clock()});
  REQUIRE(bench.begin(store, "1").ok());
  REQUIRE(bench.begin(store, "2").ok());
  CHECK(bench.begin(store, "3").error().code() == Errc::overloaded);
  bench.sim.clock().advance(1s);
  CHECK(bench.begin(store, "3").ok());
}

TEST_CASE("of 64 callers with one idempotency key one runs, and the others get its answer") {
  Bench bench;
  MemoryIdempotencyStore store;
  const StoreKey key(TenantId("t"), "order 17");
  const Bytes print = Bytes::literal("f");
  int effects = 0;
  int in_flight = 0;
  int replayed = 0;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 32; ++i) {
      const auto run = block_on(bench.sim.runtime(), store.begin(kCtx, key, print, 1s)).value();
      effects += run.state() == IdempotentRun::State::started ? 1 : 0;
      in_flight += run.state() == IdempotentRun::State::in_flight ? 1 : 0;
      replayed += run.answer().text() == "done" ? 1 : 0;
      const bool last = round == 0 && i == 31;
      if (!last) continue;
      const Bytes answer = Bytes::literal("done");
      CHECK(block_on(bench.sim.runtime(), store.finish(kCtx, key, 1, answer, 1s)).value());
    }
  }
  CHECK(effects == 1);
  CHECK(in_flight == 31);
  CHECK(replayed == 32);
}

TEST_CASE("options of the stores in memory are checked") {
  CHECK_THROWS_AS(MemoryKeyValueStore({.capacity = 0}), ConfigError);
  CHECK_THROWS_AS(MemoryKeyValueStore({.max_value = 0}), ConfigError);
  CHECK_THROWS_AS(MemoryIdempotencyStore({.capacity = 0}), ConfigError);
}
