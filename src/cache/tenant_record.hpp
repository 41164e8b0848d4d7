// TenantRecord: what the whole cache knows of one tenant. Its entries lie in the lanes of the
// shards.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "aiserve/cache/cache_stats.hpp"

namespace aiserve::inline v0::detail {

class TenantRecord {
 public:
  TenantRecord(TenantId tenant, std::uint64_t tenant_hash, const TenantShare& share) noexcept
      : id(std::move(tenant)), hash(tenant_hash) {
    set_share(share);
  }

  const TenantId id;
  const std::uint64_t hash;
  /// Changed by set_share(); each is read on its own.
  std::atomic<std::size_t> guarantee{0};
  std::atomic<std::size_t> limit{0};
  std::atomic<double> weight{1};
  /// Bytes of its entries in all shards. Written often, so not beside what every look-up reads.
  alignas(64) std::atomic<std::size_t> used{0};
  std::atomic<std::uint32_t> invalidated{0};  // a number of Invalidations

  void set_share(const TenantShare& share) noexcept {
    guarantee.store(share.guarantee, std::memory_order_relaxed);
    limit.store(share.limit, std::memory_order_relaxed);
    weight.store(share.weight, std::memory_order_relaxed);
  }
  TenantShare share() const noexcept {
    return {guarantee.load(std::memory_order_relaxed), limit.load(std::memory_order_relaxed),
            weight.load(std::memory_order_relaxed)};
  }

  /// Takes `bytes` away if the guarantee still holds after that.
  bool take_above_guarantee(std::size_t bytes) noexcept {
    std::size_t now = used.load(std::memory_order_relaxed);
    do {
      const std::size_t floor = guarantee.load(std::memory_order_relaxed);
      if (now < bytes || now - bytes < floor) return false;
    } while (!used.compare_exchange_weak(now, now - bytes, std::memory_order_relaxed));
    return true;
  }
  /// Adds `bytes` if the limit still holds after that.
  bool add_below_limit(std::size_t bytes) noexcept {
    std::size_t now = used.load(std::memory_order_relaxed);
    do {
      const std::size_t most = limit.load(std::memory_order_relaxed);
      if (bytes > most || now > most - bytes) return false;
    } while (!used.compare_exchange_weak(now, now + bytes, std::memory_order_relaxed));
    return true;
  }

  bool fits(std::size_t bytes) const noexcept {
    const std::size_t most = limit.load(std::memory_order_relaxed);
    return bytes <= most && used.load(std::memory_order_relaxed) <= most - bytes;
  }

  /// Counts of lanes that are gone.
  void retire(const CacheCounts& counts);
  CacheCounts retired() const;
  /// A miss in a shard where the tenant has no lane.
  void count_miss();
  void pushed_out_by(const TenantId& other);
  std::vector<TenantUse::Evictor> evictors() const;

 private:
  static constexpr std::size_t kEvictors = 4;

  mutable std::mutex mutex_;
  CacheCounts retired_{};
  std::array<TenantUse::Evictor, kEvictors> evictors_{};
};

}  // namespace aiserve::inline v0::detail
