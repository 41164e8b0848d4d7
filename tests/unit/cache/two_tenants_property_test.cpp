// Random operations of tenants with equal keys against a model that keeps everything ever put.
#include <map>
#include <random>

#include "unit/cache/tier_fixture.hpp"

using namespace aiserve;
using testing::TierFixture;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kOperations = 60'000;
#else
constexpr int kOperations = 1'000'000;
#endif

// The cache may forget at any time; what it returns must be what this tenant put last.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 5; ++i) tenants_.emplace_back(std::string(1, static_cast<char>('a' + i)));
    for (int i = 0; i < 300; ++i) keys_.push_back("key" + std::to_string(i));
  }

  void step() {
    const std::size_t tenant = random_() % tenants_.size();
    const std::size_t key = random_() % keys_.size();
    const std::uint64_t what = random_() % 1000;
    if (what < 600) {
      find(tenant, key);
    } else if (what < 980) {
      put(tenant, key);
    } else if (what < 996) {
      at_.tier.erase(tenants_[tenant], keys_[key]);
      last_.erase({tenant, key});
    } else if (what < 999) {
      at_.now += 1s;
    } else {
      at_.tier.invalidate_tenant(tenants_[tenant]);
      std::erase_if(last_, [&](const auto& known) { return known.first.first == tenant; });
    }
  }
  int hits() const noexcept { return hits_; }
  detail::MemoryTier& tier() noexcept { return at_.tier; }

 private:
  void find(std::size_t tenant, std::size_t key) {
    const std::string value = at_.get(tenants_[tenant], keys_[key]);
    if (value.empty()) return;
    ++hits_;
    const auto known = last_.find({tenant, key});
    REQUIRE(known != last_.end());
    REQUIRE(value == known->second);
  }
  void put(std::size_t tenant, std::size_t key) {
    const std::size_t size = random_() % 40 == 0 ? 1500 : random_() % 100;
    std::string value = tenants_[tenant].value() + "/" + keys_[key] + "/" +
                        std::to_string(random_()) + std::string(size, '.');
    if (at_.put(tenants_[tenant], keys_[key], value, {.ttl = 5s})) {
      last_[{tenant, key}] = std::move(value);
    } else {
      last_.erase({tenant, key});
    }
  }

  std::mt19937_64 random_;
  TierFixture at_{{.capacity = 96_KiB, .shards = 4}};
  std::vector<TenantId> tenants_;
  std::vector<std::string> keys_;
  std::map<std::pair<std::size_t, std::size_t>, std::string> last_;
  int hits_ = 0;
};

}  // namespace

TEST_CASE("tenants with equal keys never meet, and a hit is what was put last") {
  Model model(7);
  for (int i = 0; i < kOperations; ++i) model.step();
  CHECK(model.hits() > kOperations / 20);
  std::size_t bytes = 0;
  for (const TenantUse& use : model.tier().snapshot().tenants) bytes += use.bytes;
  CHECK(bytes == model.tier().bytes());
  CHECK(bytes <= 96_KiB);
}
