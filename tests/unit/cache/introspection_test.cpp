#include "unit/cache/tier_fixture.hpp"

using namespace aiserve;
using testing::kAcme;
using testing::kBolt;
using testing::TierFixture;
using namespace std::chrono_literals;

namespace {

struct Left {
  std::string tenant;
  std::string key;
  std::string value;
  EvictionCause cause;
  std::string by;
};

struct Listening {
  std::vector<Left> left;
  TierFixture at{CacheOptions{.capacity = 32_KiB, .on_eviction = [this](const Eviction& gone) {
                                left.push_back({gone.tenant.value(), std::string(gone.key.bytes()),
                                                gone.value.to_string(), gone.cause,
                                                gone.by.value()});
                                // A listener may use the cache: no lock is held.
                                static_cast<void>(at.tier.find(gone.tenant, gone.key, at.now));
                              }}};
};

}  // namespace

TEST_CASE("a listener is told what left, why, and for whom") {
  Listening test;
  TierFixture& at = test.at;
  REQUIRE(at.put(kAcme, "k", "one"));
  REQUIRE(at.put(kAcme, "k", "two"));
  REQUIRE(at.tier.erase(kAcme, "k"));
  REQUIRE(at.put(kAcme, "k", "three", {.ttl = 1s}));
  at.now += 1s;
  CHECK(at.get(kAcme, "k").empty());
  REQUIRE(at.put(kAcme, "k", "four"));
  at.tier.invalidate_all();
  CHECK(at.get(kAcme, "k").empty());
  REQUIRE(test.left.size() == 4);
  const EvictionCause causes[] = {EvictionCause::replaced, EvictionCause::erased,
                                  EvictionCause::expired, EvictionCause::invalidated};
  const char* values[] = {"one", "two", "three", "four"};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(test.left[i].cause == causes[i]);
    CHECK(test.left[i].value == values[i]);
    CHECK(test.left[i].tenant == "acme");
    CHECK(test.left[i].by == "acme");
  }
}

TEST_CASE("a listener is told who needed the room") {
  Listening test;
  for (int i = 0; i < 200; ++i) {
    REQUIRE(test.at.put(kAcme, std::to_string(i), std::string(200, 'x')));
  }
  test.left.clear();
  for (int i = 0; i < 20; ++i) {
    REQUIRE(test.at.put(kBolt, std::to_string(i), std::string(200, 'x')));
  }
  REQUIRE(test.left.size() >= 18);
  for (const Left& left : test.left) {
    CHECK(left.cause == EvictionCause::capacity);
    CHECK(left.tenant == "acme");
    CHECK(left.by == "bolt");
  }
}

TEST_CASE("what a listener throws is swallowed and counted") {
  TierFixture at({.on_eviction = [](const Eviction&) { throw std::runtime_error("listener"); }});
  REQUIRE(at.put(kAcme, "k", "v"));
  CHECK(at.tier.erase(kAcme, "k"));
  CHECK(at.tier.listener_failures() == 1);
}

TEST_CASE("the largest entries of a tenant are listed, largest first") {
  TierFixture at;
  for (int i = 1; i <= 50; ++i) {
    const auto size = static_cast<std::size_t>(i) * 100;
    REQUIRE(at.put(kAcme, "key" + std::to_string(i), std::string(size, 'x'), {.cost = 2ms}));
    REQUIRE(at.put(kBolt, "other" + std::to_string(i), std::string(9000, 'x')));
  }
  at.now += 3s;
  const std::vector<KeyUse> top = at.tier.top_keys(kAcme, 3, at.now);
  REQUIRE(top.size() == 3);
  CHECK(top[0].key == "key50");
  CHECK(top[1].key == "key49");
  CHECK(top[2].key == "key48");
  CHECK(top[0].bytes > 5000);
  CHECK(top[0].age == 3s);
  CHECK(at.tier.top_keys(kAcme, 0, at.now).empty());
  CHECK(at.tier.top_keys(kAcme, 100, at.now).size() == 50);
}

TEST_CASE("a snapshot adds up") {
  TierFixture at({.capacity = 64_KiB, .shards = 4});
  for (int i = 0; i < 500; ++i) {
    const TenantId& tenant = i % 3 == 0 ? kAcme : kBolt;
    static_cast<void>(at.get(tenant, std::to_string(i % 50)));
    REQUIRE(at.put(tenant, std::to_string(i % 50), std::string(300, 'x')));
  }
  const CacheSnapshot all = at.tier.snapshot();
  REQUIRE(all.tenants.size() == 2);
  CHECK(all.tenants[0].bytes >= all.tenants[1].bytes);
  CHECK(all.bytes == all.tenants[0].bytes + all.tenants[1].bytes);
  CHECK(all.entries == all.tenants[0].entries + all.tenants[1].entries);
  CHECK(all.counts.hits + all.counts.misses == 500);
  CHECK(all.counts.inserts == 500);
  CHECK(all.entries == at.tier.entries());
  CHECK(all.capacity == 64_KiB);
}

TEST_CASE("a cache that shrinks evicts down to its new capacity, and grows again") {
  TierFixture at({.capacity = 256_KiB, .max_entry = 4_KiB, .shards = 8});
  for (int i = 0; i < 2000; ++i) REQUIRE(at.put(kAcme, std::to_string(i), std::string(200, 'x')));
  REQUIRE(at.tier.bytes() > 250_KiB);
  REQUIRE(at.tier.resize(64_KiB).ok());
  CHECK(at.tier.bytes() <= 64_KiB);
  CHECK(at.tier.bytes() > 60_KiB);
  REQUIRE(at.tier.resize(512_KiB).ok());
  for (int i = 0; i < 2000; ++i) REQUIRE(at.put(kAcme, std::to_string(i), std::string(200, 'x')));
  CHECK(at.tier.bytes() > 400_KiB);
  CHECK_FALSE(at.tier.resize(1_KiB));
}

TEST_CASE("under memory pressure the cache shrinks, but not below what is guaranteed") {
  TierFixture at({.capacity = 256_KiB, .shards = 8});
  REQUIRE(at.tier.set_tenant(kAcme, {.guarantee = 96_KiB}).ok());
  for (int i = 0; i < 2000; ++i) REQUIRE(at.put(kAcme, std::to_string(i), std::string(200, 'x')));
  at.tier.shrink_to(128_KiB);
  CHECK(at.tier.bytes() <= 128_KiB);
  at.tier.shrink_to(0);
  CHECK(at.tier.bytes() <= 96_KiB);
  CHECK(at.tier.bytes() > 90_KiB);
  at.tier.shrink_to(1_GiB);
  CHECK(at.tier.capacity() == 256_KiB);
}
