// Threads that put, find, erase, invalidate, resize and look on, all at once. What they find is
// what was put under that tenant and key; in the end the accounts are even.
#include <atomic>
#include <random>
#include <thread>

#include "unit/cache/tier_fixture.hpp"

using namespace aiserve;
using testing::TierFixture;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kOperations = 20'000;
#else
constexpr int kOperations = 60'000;
#endif
constexpr int kThreads = 4;

class Storm {
 public:
  explicit Storm(CacheOptions options) : at_(std::move(options)) {
    for (int i = 0; i < 3; ++i) tenants_.emplace_back("tenant" + std::to_string(i));
  }

  void run() {
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) threads.emplace_back([this, i] { work(i); });
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong_ == 0);
    CHECK(hits_ > 0);
    check_accounts();
  }
  detail::MemoryTier& tier() { return at_.tier; }

 private:
  void work(int seed) {
    std::mt19937 random(static_cast<std::uint32_t>(seed));
    for (int i = 0; i < kOperations; ++i) step(random);
  }
  void step(std::mt19937& random) {
    const TenantId& tenant = tenants_[random() % tenants_.size()];
    const std::string key = std::to_string(random() % 500);
    const auto what = random() % 1000;
    if (what < 600) return find(tenant, key);
    if (what < 950) return put(tenant, key, random() % 10 == 0 ? 2000 : random() % 300);
    if (what < 980) return static_cast<void>(at_.tier.erase(tenant, key));
    rare(tenant, random);
  }
  void find(const TenantId& tenant, const std::string& key) {
    const auto found = at_.tier.find(tenant, key, at_.now);
    if (!found) return;
    ++hits_;
    const std::string expected = tenant.value() + "/" + key + "/";
    if (!found->value.text().starts_with(expected)) ++wrong_;
  }
  void put(const TenantId& tenant, const std::string& key, std::size_t padding) {
    const std::string value = tenant.value() + "/" + key + "/" + std::string(padding, '.');
    static_cast<void>(at_.tier.put(tenant, key, Bytes::copy(value), at_.now, {.cost = 1ms}).ok());
  }
  void rare(const TenantId& tenant, std::mt19937& random) {
    switch (random() % 8) {
      case 0:
        return at_.tier.invalidate(at_.tier.label(tenant, 't', "tag"));
      case 1:
        return at_.tier.invalidate_tenant(tenant);
      case 2:
        return at_.tier.prune();
      case 3:
        return at_.tier.shrink_to(random() % 96_KiB);
      case 4:
        return static_cast<void>(at_.tier.resize(48_KiB + random() % 48_KiB).ok());
      case 5:
        return static_cast<void>(at_.tier.top_keys(tenant, 3, at_.now));
      case 6:
        return static_cast<void>(
            at_.tier.set_tenant(tenant, {.guarantee = random() % 16_KiB}).ok());
      default:
        if (at_.tier.snapshot().bytes > 96_KiB) ++wrong_;
    }
  }
  void check_accounts() {
    const CacheSnapshot all = at_.tier.snapshot();
    std::size_t bytes = 0;
    for (const TenantUse& use : all.tenants) bytes += use.bytes;
    CHECK(bytes == all.bytes);
    CHECK(all.bytes <= 96_KiB);
    for (const TenantId& tenant : tenants_) {
      for (int key = 0; key < 500; ++key) at_.tier.erase(tenant, std::to_string(key));
    }
    CHECK(at_.tier.bytes() == 0);
    CHECK(at_.tier.entries() == 0);
  }

  TierFixture at_;
  std::vector<TenantId> tenants_;
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> wrong_{0};
};

}  // namespace

TEST_CASE("an eviction storm from many threads keeps values and accounts right") {
  Storm({.capacity = 96_KiB, .max_entry = 8_KiB, .shards = 4}).run();
}

TEST_CASE("an eviction storm under LRU in one shard keeps values and accounts right") {
  Storm({.capacity = 96_KiB, .policy = EvictionPolicy::lru, .max_entry = 8_KiB, .shards = 1}).run();
}

TEST_CASE("listeners of an eviction storm see every value that left") {
  std::atomic<int> told{0};
  std::atomic<int> wrong{0};
  CacheOptions options{.capacity = 96_KiB, .max_entry = 8_KiB, .shards = 4};
  options.on_eviction = [&](const Eviction& gone) {
    ++told;
    const std::string expected = gone.tenant.value() + "/" + std::string(gone.key.bytes()) + "/";
    if (!gone.value.text().starts_with(expected)) ++wrong;
  };
  Storm(options).run();
  CHECK(told > 0);
  CHECK(wrong == 0);
}
