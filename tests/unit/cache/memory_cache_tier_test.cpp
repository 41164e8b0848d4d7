#include "aiserve/cache/memory_cache_tier.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "aiserve/testing/cache_tier_conformance.hpp"
#include "aiserve/testing/faulty_cache_tier.hpp"
#include "aiserve/testing/sim_runtime.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::TierFault;

namespace {

TierEntry entry(std::string_view key, std::size_t size, WallTime expires = WallTime::max()) {
  return {TierKey(TenantId("t"), Bytes::copy(key)), Bytes::copy(std::string(size, 'v')), expires};
}

struct Bench {
  Bench() { sim.start(); }

  Result<void> put(CacheTier& tier, std::vector<TierEntry> entries) {
    return block_on(sim.runtime(), tier.put(Context::background(), entries));
  }
  Result<TierValues> get(CacheTier& tier, std::vector<std::string_view> texts) {
    std::vector<TierKey> keys;
    for (const std::string_view text : texts) keys.emplace_back(TenantId("t"), Bytes::copy(text));
    return block_on(sim.runtime(), tier.get(Context::background(), keys));
  }
  bool has(CacheTier& tier, std::string_view key) {
    return get(tier, {key}).value()[0].has_value();
  }

  testing::SimRuntime sim;
};

}  // namespace

TEST_CASE("the tier in memory does what every tier has to do") {
  Bench bench;
  for (const testing::CacheTierCase& one : testing::cache_tier_cases()) {
    MemoryCacheTier tier(std::size_t{4} << 20);
    const Result<void> held = block_on(bench.sim.runtime(), one.run(Context::background(), tier));
    CHECK_MESSAGE(held.ok(), one.name, ": ", (held ? "" : held.error().message()));
  }
}

TEST_CASE("the tier in memory forgets what was put first, and nothing that does not fit") {
  Bench bench;
  MemoryCacheTier tier(10'000);
  REQUIRE(bench.put(tier, {entry("first", 4'000), entry("second", 4'000)}).ok());
  CHECK(tier.entries() == 2);
  REQUIRE(bench.put(tier, {entry("third", 4'000)}).ok());
  CHECK_FALSE(bench.has(tier, "first"));
  CHECK(bench.has(tier, "third"));
  REQUIRE(bench.put(tier, {entry("huge", 20'000)}).ok());
  CHECK_FALSE(bench.has(tier, "huge"));
  CHECK(tier.entries() == 2);
  CHECK(tier.bytes() <= 10'000);
  CHECK_THROWS_AS(MemoryCacheTier(0), ConfigError);
}

TEST_CASE("the tier in memory does not return what has expired") {
  Bench bench;
  MemoryCacheTier tier(10'000, &bench.sim.clock());
  REQUIRE(bench.put(tier, {entry("soon", 10, bench.sim.clock().wall_now() + 10s)}).ok());
  CHECK(bench.has(tier, "soon"));
  bench.sim.advance(10s);
  CHECK_FALSE(bench.has(tier, "soon"));
}

TEST_CASE("a faulty tier breaks calls as it is told") {
  Bench bench;
  MemoryCacheTier memory(100'000);
  testing::FaultyCacheTier tier(memory);
  REQUIRE(bench.put(tier, {entry("a", 10), entry("b", 20)}).ok());
  CHECK(bench.get(tier, {"a", "b"}).value()[1]->size() == 20);
  tier.set(TierFault::swap);
  CHECK(bench.get(tier, {"a", "b"}).value()[0]->size() == 20);
  tier.set(TierFault::shorten);
  CHECK(bench.get(tier, {"a", "b"}).value().size() == 1);
  tier.set(TierFault::garble);
  const TierValues garbled = bench.get(tier, {"a", "b"}).value();
  CHECK(garbled[0]->text() != std::string(10, 'v'));
  CHECK(garbled[1]->text() != std::string(20, 'v'));
  tier.set(TierFault::fail);
  CHECK(bench.get(tier, {"a"}).error().code() == Errc::unavailable);
  CHECK(bench.put(tier, {entry("c", 1)}).error().code() == Errc::unavailable);
  tier.set(TierFault::raise);
  CHECK(bench.get(tier, {"a"}).error().code() == Errc::internal);
  tier.set(TierFault::none);
  CHECK_FALSE(bench.has(tier, "c"));
  CHECK(tier.gets() == 7);
  CHECK(tier.writes() == 2);
}
