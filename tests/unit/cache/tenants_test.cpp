#include "unit/cache/tier_fixture.hpp"

using namespace aiserve;
using testing::kAcme;
using testing::kBolt;
using testing::TierFixture;
using namespace std::chrono_literals;

namespace {

struct Tenants : TierFixture {
  explicit Tenants(CacheOptions given = {.capacity = 128_KiB, .shards = 4})
      : TierFixture(std::move(given)) {}

  void fill(const TenantId& tenant, int entries, const std::string& prefix = "") {
    for (int i = 0; i < entries; ++i) {
      static_cast<void>(put(tenant, prefix + std::to_string(i), std::string(200, 'x')));
    }
  }
  std::size_t bytes(const TenantId& tenant) { return tier.tenant_use(tenant).bytes; }
  CacheCounts counts(const TenantId& tenant) { return tier.tenant_use(tenant).counts; }
};

}  // namespace

TEST_CASE("a flood leaves a quiet tenant its guarantee and its part of the rest") {
  Tenants at;
  REQUIRE(at.tier.set_tenant(kAcme, {.guarantee = 32_KiB}).ok());
  at.fill(kAcme, 400);
  CHECK(at.bytes(kAcme) > 90_KiB);
  at.fill(kBolt, 5000);
  // 32 KiB, and half of the 96 KiB that are not guaranteed.
  CHECK(at.bytes(kAcme) > 72_KiB);
  CHECK(at.bytes(kAcme) < 88_KiB);
  CHECK(at.bytes(kBolt) > 40_KiB);
  at.fill(TenantId("core"), 5000);
  CHECK(at.bytes(kAcme) > 56_KiB);
  CHECK(at.bytes(kAcme) < 72_KiB);
  CHECK(at.counts(kAcme).evicted_by_others > 0);
}

TEST_CASE("of contended room tenants get shares by weight") {
  Tenants at;
  REQUIRE(at.tier.set_tenant(kAcme, {.weight = 3}).ok());
  for (int round = 0; round < 20; ++round) {
    at.fill(kAcme, 300, "a" + std::to_string(round));
    at.fill(kBolt, 300, "b" + std::to_string(round));
  }
  const double ratio = static_cast<double>(at.bytes(kAcme)) / static_cast<double>(at.bytes(kBolt));
  CHECK(ratio > 2.4);
  CHECK(ratio < 3.6);
}

TEST_CASE("a tenant at its limit evicts its own entries only") {
  Tenants at;
  REQUIRE(at.tier.set_tenant(kAcme, {.limit = 16_KiB}).ok());
  at.fill(kBolt, 100);
  const std::size_t before = at.bytes(kBolt);
  at.fill(kAcme, 1000);
  CHECK(at.bytes(kAcme) <= 16_KiB);
  CHECK(at.bytes(kAcme) > 14_KiB);
  CHECK(at.bytes(kBolt) == before);
}

TEST_CASE("guarantees that do not fit are refused, and the old share stays") {
  Tenants at;
  REQUIRE(at.tier.set_tenant(kAcme, {.guarantee = 100_KiB}).ok());
  const Result<void> refused = at.tier.set_tenant(kBolt, {.guarantee = 29_KiB});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_argument);
  CHECK(at.tier.tenant_use(kBolt).share.guarantee == 0);
  CHECK_FALSE(at.tier.set_tenant(kAcme, {.guarantee = 200_KiB}));
  CHECK(at.tier.tenant_use(kAcme).share.guarantee == 100_KiB);
  REQUIRE(at.tier.set_tenant(kAcme, {.guarantee = 64_KiB}).ok());
  CHECK(at.tier.set_tenant(kBolt, {.guarantee = 64_KiB}).ok());
  CHECK_FALSE(at.tier.resize(100_KiB));
}

TEST_CASE("shares out of their range are refused") {
  Tenants at;
  CHECK_FALSE(at.tier.set_tenant(kAcme, {.weight = 0}));
  CHECK_FALSE(at.tier.set_tenant(kAcme, {.weight = -1}));
  CHECK_FALSE(at.tier.set_tenant(kAcme, {.weight = std::numeric_limits<double>::infinity()}));
  CHECK_FALSE(at.tier.set_tenant(kAcme, {.weight = std::numeric_limits<double>::quiet_NaN()}));
  CHECK_FALSE(at.tier.set_tenant(kAcme, {.guarantee = 2, .limit = 1}));
}

TEST_CASE("who pushed whom out is known") {
  Tenants at;
  at.fill(kAcme, 1000);
  at.fill(kBolt, 300);
  const TenantUse use = at.tier.tenant_use(kAcme);
  REQUIRE(use.evictors.size() == 1);
  CHECK(use.evictors[0].tenant == kBolt);
  CHECK(use.evictors[0].entries == use.counts.evicted_by_others);
  CHECK(at.counts(kBolt).evicted_others == use.counts.evicted_by_others);
  CHECK(use.counts.evicted_by_own > 0);
}

TEST_CASE("with room for one entry a tenant that holds nothing elsewhere finds it elsewhere") {
  // Sixteen shards and entries of a quarter of the capacity: the shard of a key is nearly always
  // empty, so room has to be made in others. Lanes take 16 KiB.
  Tenants at({.capacity = 80_KiB, .max_entry = 20_KiB, .shards = 16});
  for (int i = 0; i < 200; ++i) {
    REQUIRE(at.put(i % 2 == 0 ? kAcme : kBolt, std::to_string(i), std::string(15'000, 'x')));
    REQUIRE(at.tier.bytes() <= 80_KiB);
  }
  CHECK(at.tier.entries() == 4);
}

TEST_CASE("a tenant is refused when all room is guaranteed to others") {
  Tenants at;
  REQUIRE(at.tier.set_tenant(kAcme, {.guarantee = 128_KiB}).ok());
  at.fill(kAcme, 600);
  const Result<void> put = at.tier.put(kBolt, "k", Bytes::copy(std::string(1000, 'x')), at.now, {});
  REQUIRE_FALSE(put);
  CHECK(put.error().code() == Errc::overloaded);
  CHECK(at.counts(kBolt).refused == 1);
}

TEST_CASE("a thousand tenants come and go, and what is gone is forgotten") {
  Tenants at;
  for (int i = 0; i < 1000; ++i) {
    const TenantId tenant("tenant" + std::to_string(i));
    REQUIRE(at.put(tenant, "k", std::string(100, 'x')));
    CHECK(at.get(tenant, "k").size() == 100);
  }
  CHECK(at.tier.snapshot().tenants.size() == 1000);
  at.tier.prune();
  at.tier.prune();
  const CacheSnapshot left = at.tier.snapshot();
  CHECK(left.tenants.size() == left.entries);
  CHECK(left.entries < 800);
}

TEST_CASE("counts survive the lane they were counted in") {
  Tenants at;
  REQUIRE(at.tier.set_tenant(kAcme, {}).ok());
  REQUIRE(at.put(kAcme, "k", "v"));
  CHECK(at.get(kAcme, "k") == "v");
  REQUIRE(at.tier.erase(kAcme, "k"));
  at.tier.prune();
  at.tier.prune();
  CHECK(at.counts(kAcme).hits == 1);
  CHECK(at.counts(kAcme).inserts == 1);
  CHECK(at.get(kAcme, "k").empty());
  CHECK(at.counts(kAcme).misses == 1);
}

TEST_CASE("look-ups of strangers leave nothing behind") {
  Tenants at;
  for (int i = 0; i < 1000; ++i) CHECK(at.get(TenantId("who" + std::to_string(i)), "k").empty());
  CHECK(at.tier.snapshot().tenants.empty());
  CHECK(at.tier.snapshot().counts.misses == 1000);
}

TEST_CASE(
    "what many tenants take beside their entries comes off the capacity, not off a guarantee") {
  Tenants at({.capacity = 1_MiB, .shards = 4});
  REQUIRE(at.tier.set_tenant(kAcme, {.guarantee = 512_KiB}).ok());
  for (int i = 0; i < 1000; ++i) REQUIRE(at.put(kAcme, std::to_string(i), std::string(1000, 'x')));
  const std::size_t alone = at.tier.bytes();
  CHECK(alone > 1_MiB - 8_KiB);
  for (int i = 0; i < 20'000; ++i) {
    REQUIRE(at.put(TenantId("tenant" + std::to_string(i)), "k", std::string(300, 'x')));
  }
  const CacheSnapshot all = at.tier.snapshot();
  CHECK(all.entries - at.tier.tenant_use(kAcme).entries > 400);
  CHECK(all.bytes + 512 * (all.entries - at.tier.tenant_use(kAcme).entries) <= 1_MiB);
  CHECK(at.tier.tenant_use(kAcme).bytes >= 511_KiB);
}

TEST_CASE("dear entries outlive cheap ones of the same size") {
  Tenants at;
  for (int i = 0; i < 3000; ++i) {
    const bool dear = i % 10 == 0;
    const std::string key = (dear ? "dear" : "cheap") + std::to_string(i);
    REQUIRE(at.put(kAcme, key, std::string(200, 'x'), {.cost = dear ? Duration(1s) : 1ms}));
  }
  int dear = 0;
  for (int i = 0; i < 3000; i += 10) {
    dear += at.get(kAcme, "dear" + std::to_string(i)).empty() ? 0 : 1;
  }
  // Without costs a tenth of what is left would be dear.
  CHECK(dear * 2 > static_cast<int>(at.tier.entries()));
}
