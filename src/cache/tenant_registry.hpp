// TenantRegistry: all tenants of a cache by id, and the promise that their guarantees fit.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "aiserve/core/result.hpp"
#include "cache/tenant_record.hpp"

namespace aiserve::inline v0::detail {

class TenantRegistry {
 public:
  using Record = std::shared_ptr<TenantRecord>;

  TenantRegistry(TenantShare unnamed, std::size_t capacity)
      : unnamed_(unnamed), capacity_(capacity) {}

  Record find(const TenantId& tenant) const;
  /// Known or new, with the share of unnamed tenants as far as the guarantees still fit.
  Record find_or_add(const TenantId& tenant, std::uint64_t hash);
  std::vector<Record> all() const;

  Result<void> set(const TenantId& tenant, std::uint64_t hash, const TenantShare& share);
  /// Back to the share of unnamed tenants.
  void unset(const TenantId& tenant);
  /// Forgets the unnamed ones that nobody else holds.
  void prune();

  Result<void> set_capacity(std::size_t capacity);
  std::size_t guaranteed() const;

 private:
  struct Known {
    Record record;
    bool named = false;
  };

  TenantShare unnamed_share() const noexcept;

  mutable std::mutex mutex_;
  const TenantShare unnamed_;
  std::size_t capacity_;
  std::size_t guaranteed_ = 0;
  std::unordered_map<TenantId, Known> tenants_;
};

/// Errors: invalid_argument, naming what is out of its range.
Result<void> check_share(const TenantShare& share);

}  // namespace aiserve::inline v0::detail
