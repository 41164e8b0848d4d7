// Random worlds of tenants with random shares: what a tenant is guaranteed is never taken by
// others, limits and the capacity are never exceeded, whatever happens in whatever order.
#include <map>
#include <random>

#include "unit/cache/tier_fixture.hpp"

using namespace aiserve;
using testing::TierFixture;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kWorlds = 12;
constexpr int kSteps = 1500;
#else
constexpr int kWorlds = 120;
constexpr int kSteps = 4000;
#endif

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), at_(options()) {
    const std::size_t tenants = 1 + random_() % 6;
    for (std::size_t i = 0; i < tenants; ++i) {
      ids_.emplace_back("tenant" + std::to_string(i));
      change_share(ids_[i]);
    }
  }

  void step() {
    const TenantId& tenant = ids_[random_() % ids_.size()];
    const auto before = used();
    const std::uint64_t what = random_() % 100;
    if (what < 90) {
      const std::string key = std::to_string(random_() % 400);
      if (!at_.get(tenant, key).empty()) return;
      const std::size_t size = random_() % 20 == 0 ? 2500 : random_() % 600;
      static_cast<void>(at_.put(tenant, key, std::string(size + 1, 'v')));
      check(before, tenant);
    } else if (what < 95) {
      change_share(tenant);
    } else {
      const std::size_t capacity = 24_KiB + random_() % 64 * 1024;
      static_cast<void>(at_.tier.resize(capacity).ok());
      REQUIRE(at_.tier.bytes() <= at_.tier.capacity());
    }
  }

 private:
  using Used = std::map<std::string, std::size_t>;

  CacheOptions options() {
    CacheOptions options;
    options.capacity = 24_KiB + random_() % 64 * 1024;
    options.max_entry = 4_KiB;
    options.shards = std::size_t{1} << random_() % 4;
    options.policy = random_() % 4 == 0 ? EvictionPolicy::lru : EvictionPolicy::s3_fifo;
    return options;
  }

  Used used() const {
    Used used;
    for (const TenantUse& use : at_.tier.snapshot().tenants) used[use.tenant.value()] = use.bytes;
    return used;
  }

  // Refused if the guarantees don't fit together; then the old share stays.
  void change_share(const TenantId& tenant) {
    TenantShare share{.guarantee = random_() % 3 == 0 ? 0 : random_() % (at_.tier.capacity() / 2)};
    if (random_() % 3 == 0) share.limit = share.guarantee + random_() % 20'000;
    share.weight = 0.5 + static_cast<double>(random_() % 8);
    const TenantShare old = at_.tier.tenant_use(tenant).share;
    const bool changed = at_.tier.set_tenant(tenant, share).ok();
    REQUIRE(at_.tier.tenant_use(tenant).share.guarantee ==
            (changed ? share.guarantee : old.guarantee));
  }

  void check(const Used& before, const TenantId& who) {
    std::size_t total = 0;
    for (const TenantUse& use : at_.tier.snapshot().tenants) {
      total += use.bytes;
      const auto known = before.find(use.tenant.value());
      const std::size_t had = known == before.end() ? 0 : known->second;
      if (use.tenant != who) REQUIRE(use.bytes >= std::min(had, use.share.guarantee));
      if (use.bytes > had) REQUIRE(use.bytes <= use.share.limit);
    }
    REQUIRE(total == at_.tier.bytes());
    REQUIRE(total <= at_.tier.capacity());
  }

  std::mt19937_64 random_;
  TierFixture at_;
  std::vector<TenantId> ids_;
};

}  // namespace

TEST_CASE("guarantees, limits and the capacity hold in random worlds") {
  for (int seed = 0; seed < kWorlds; ++seed) {
    CAPTURE(seed);
    World world(static_cast<std::uint64_t>(seed));
    for (int i = 0; i < kSteps; ++i) world.step();
  }
}
