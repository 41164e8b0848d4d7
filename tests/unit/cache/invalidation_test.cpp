#include "unit/cache/tier_fixture.hpp"

using namespace aiserve;
using testing::kAcme;
using testing::kBolt;
using testing::TierFixture;

namespace {

struct Labelled : TierFixture {
  void put(const TenantId& tenant, KeyView key, std::initializer_list<const char*> tags) {
    std::vector<detail::CacheLabel> labels;
    for (const char* tag : tags) labels.push_back(tier.label(tenant, 't', tag));
    REQUIRE(TierFixture::put(tenant, key, "v", {.labels = labels}));
  }
  bool has(const TenantId& tenant, KeyView key) { return !get(tenant, key).empty(); }
};

}  // namespace

TEST_CASE("an invalidated tag kills what carries it, of its tenant, until it is put again") {
  Labelled at;
  at.put(kAcme, "red", {"red"});
  at.put(kAcme, "both", {"blue", "red"});
  at.put(kAcme, "blue", {"blue"});
  at.put(kBolt, "red", {"red"});
  at.tier.invalidate(at.tier.label(kAcme, 't', "red"));
  CHECK_FALSE(at.has(kAcme, "red"));
  CHECK_FALSE(at.has(kAcme, "both"));
  CHECK(at.has(kAcme, "blue"));
  CHECK(at.has(kBolt, "red"));
  at.put(kAcme, "red", {"red"});
  CHECK(at.has(kAcme, "red"));
}

TEST_CASE("an invalidated tenant loses everything, others nothing") {
  Labelled at;
  at.put(kAcme, "a", {});
  at.put(kBolt, "a", {});
  at.tier.invalidate_tenant(kAcme);
  CHECK_FALSE(at.has(kAcme, "a"));
  CHECK(at.has(kBolt, "a"));
  at.put(kAcme, "a", {});
  CHECK(at.has(kAcme, "a"));
  at.tier.invalidate_all();
  CHECK_FALSE(at.has(kAcme, "a"));
  CHECK_FALSE(at.has(kBolt, "a"));
}

TEST_CASE("what began to be computed before an invalidation is not stored as if it were new") {
  Labelled at;
  const std::uint32_t before = at.tier.stamp();
  const detail::CacheLabel red = at.tier.label(kAcme, 't', "red");
  const std::vector<detail::CacheLabel> labels{red};
  at.tier.invalidate(red);
  REQUIRE(at.TierFixture::put(kAcme, "late", "v", {.stamp = before, .labels = labels}));
  CHECK_FALSE(at.has(kAcme, "late"));
  REQUIRE(at.TierFixture::put(kAcme, "new", "v", {.stamp = at.tier.stamp(), .labels = labels}));
  CHECK(at.has(kAcme, "new"));
}

TEST_CASE("an entry that survived an invalidation still dies of the next one") {
  Labelled at;
  at.put(kAcme, "k", {"red"});
  at.tier.invalidate(at.tier.label(kAcme, 't', "blue"));
  CHECK(at.has(kAcme, "k"));
  at.tier.invalidate(at.tier.label(kAcme, 't', "red"));
  CHECK_FALSE(at.has(kAcme, "k"));
}

TEST_CASE("a thousand invalidations of other tags kill less than one entry in a hundred") {
  Labelled at;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = std::to_string(i);
    at.put(kAcme, name, {name.c_str()});
  }
  for (int i = 1000; i < 2000; ++i) {
    at.tier.invalidate(at.tier.label(kAcme, 't', std::to_string(i)));
  }
  int alive = 0;
  for (int i = 0; i < 1000; ++i) alive += at.has(kAcme, std::to_string(i)) ? 1 : 0;
  CHECK(alive > 990);
}

TEST_CASE("a removed tenant starts anew with the share of unnamed tenants") {
  Labelled at;
  REQUIRE(at.tier.set_tenant(kAcme, {.guarantee = 1_MiB, .weight = 3}).ok());
  at.put(kAcme, "a", {});
  at.tier.remove_tenant(kAcme);
  CHECK_FALSE(at.has(kAcme, "a"));
  CHECK(at.tier.tenant_use(kAcme).share == TenantShare{});
}
