// cache.neighbour.*: what three tenants keep beside a scanner; see neighbours.hpp. All see the same
// requests. Every entry has one size, so the rivals count entries.
#include <algorithm>
#include <memory>
#include <stdexcept>

#include "aiserve/cache/cache.hpp"
#include "aiserve/core/runtime.hpp"
#include "cache/groups.hpp"
#include "cache/neighbours.hpp"
#include "rivals/cache_policies.hpp"

namespace bench {
namespace {

using namespace aiserve;

constexpr std::size_t kCapacity = 256_MiB;
constexpr std::size_t kValue = 4096;

using PerTenant = std::array<double, kNeighbourTenants>;

// Hit ratios per tenant, after a warm-up.
class Score {
 public:
  void count(std::size_t tenant, bool hit) {
    ++requests_[tenant];
    hits_[tenant] += hit ? 1 : 0;
  }
  void forget() { *this = {}; }
  PerTenant ratios() const {
    PerTenant ratios{};
    for (std::size_t i = 0; i < ratios.size(); ++i) ratios[i] = hits_[i] / requests_[i];
    return ratios;
  }
  double useful() const {
    return (hits_[0] + hits_[1] + hits_[2]) / (requests_[0] + requests_[1] + requests_[2]);
  }

 private:
  PerTenant hits_{};
  PerTenant requests_{};
};

template <class Access>
Score play(std::size_t requests, std::uint64_t seed, const Access& access) {
  Neighbours neighbours(seed);
  Score score;
  for (std::size_t i = 0; i < requests; ++i) {
    if (i == requests / 3) score.forget();
    const NeighbourRequest request = neighbours.next();
    score.count(request.tenant, access(request));
  }
  return score;
}

class OurCache {
 public:
  OurCache() : cache_(runtime_, {.capacity = kCapacity}) {
    for (std::size_t i = 0; i < tenants_.size(); ++i) {
      tenants_[i] = TenantId(kNeighbourNames[i]);
      const TenantShare share{.guarantee = i == kScanner ? 0 : kCapacity / 5};
      if (!cache_.set_tenant(tenants_[i], share)) throw std::runtime_error("set_tenant");
    }
  }
  bool access(const NeighbourRequest& request) {
    const KeyView key(
        std::string_view(reinterpret_cast<const char*>(&request.key), sizeof(request.key)));
    if (cache_.find(tenants_[request.tenant], key)) return true;
    static_cast<void>(cache_.put(tenants_[request.tenant], key, value_).ok());
    return false;
  }
  std::size_t entry_bytes() {
    const auto snapshot = cache_.snapshot();
    return snapshot.bytes / std::max<std::size_t>(1, snapshot.entries);
  }

 private:
  Runtime runtime_;
  Cache cache_;
  std::array<TenantId, kNeighbourTenants> tenants_;
  // Shared by all entries, so that the benchmark needs no 256 MiB; charged to each all the same.
  const Bytes value_ = Bytes::copy(std::string(kValue, 'v'));
};

void round(Sample& sample, std::size_t requests, std::uint64_t seed) {
  OurCache cache;
  const Score ours =
      play(requests, seed, [&](const NeighbourRequest& request) { return cache.access(request); });

  const std::size_t entries = kCapacity / cache.entry_bytes();
  const auto& keys = Neighbours::kKeys;
  const auto shared = make_lru(entries, keys[0] + keys[1] + keys[2] + keys[3]);
  const std::array<std::uint32_t, kNeighbourTenants> first{
      0, static_cast<std::uint32_t>(keys[0]), static_cast<std::uint32_t>(keys[0] + keys[1]),
      static_cast<std::uint32_t>(keys[0] + keys[1] + keys[2])};
  const Score lru = play(requests, seed, [&](const NeighbourRequest& request) {
    return shared->access(first[request.tenant] + request.key);
  });

  std::array<std::unique_ptr<CachePolicy>, kNeighbourTenants> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = make_s3_fifo(entries / 4, keys[i]);
  const Score split = play(requests, seed, [&](const NeighbourRequest& request) {
    return parts[request.tenant]->access(request.key);
  });

  double worst = -1;
  for (std::size_t i = 0; i < kScanner; ++i) {
    worst = std::max(worst, split.ratios()[i] - ours.ratios()[i]);
    const std::string prefix = std::string("cache.neighbour.") + kNeighbourNames[i];
    sample.set(prefix + ".ours", ours.ratios()[i]);
    sample.set(prefix + ".split", split.ratios()[i]);
    sample.set(prefix + ".shared_lru", lru.ratios()[i]);
  }
  sample.set("cache.neighbour.useful_gain", ours.useful() - lru.useful());
  sample.set("cache.neighbour.worst_loss", worst);
  sample.set("cache.neighbour.useful", ours.useful());
}

}  // namespace

std::vector<Group> neighbour_groups(const Options& options) {
  Group group{.name = "neighbour",
              .keys = {{.name = "cache.neighbour.useful_gain", .unit = "ratio", .at_least = 0.10},
                       {.name = "cache.neighbour.worst_loss", .unit = "ratio", .at_most = 0.02},
                       {.name = "cache.neighbour.useful", .unit = "ratio"}},
              .round = {}};
  for (std::size_t i = 0; i < kScanner; ++i) {
    for (const char* cache : {".ours", ".split", ".shared_lru"}) {
      group.keys.push_back(
          {.name = std::string("cache.neighbour.") + kNeighbourNames[i] + cache, .unit = "ratio"});
    }
  }
  const std::size_t requests = options.quick ? 1'500'000 : 3'000'000;
  auto seed = std::make_shared<std::uint64_t>(20);
  group.round = [=](Sample& sample) { round(sample, requests, (*seed)++); };
  return {group};
}

}  // namespace bench
