#include "cache/tenant_registry.hpp"

#include <cmath>
#include <string>

namespace aiserve::inline v0::detail {

Result<void> check_share(const TenantShare& share) {
  if (!std::isfinite(share.weight) || share.weight <= 0) {
    return Error(Errc::invalid_argument, "weight must be finite and above zero");
  }
  if (share.limit < share.guarantee) {
    return Error(Errc::invalid_argument, "limit must be at least the guarantee");
  }
  return success();
}

TenantRegistry::Record TenantRegistry::find(const TenantId& tenant) const {
  const std::scoped_lock lock(mutex_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : found->second.record;
}

TenantShare TenantRegistry::unnamed_share() const noexcept {
  TenantShare share = unnamed_;
  if (share.guarantee > capacity_ - guaranteed_) share.guarantee = 0;
  return share;
}

TenantRegistry::Record TenantRegistry::find_or_add(const TenantId& tenant, std::uint64_t hash) {
  const std::scoped_lock lock(mutex_);
  Known& known = tenants_[tenant];
  if (known.record != nullptr) return known.record;
  const TenantShare share = unnamed_share();
  known.record = std::make_shared<TenantRecord>(tenant, hash, share);
  guaranteed_ += share.guarantee;
  return known.record;
}

std::vector<TenantRegistry::Record> TenantRegistry::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Record> records;
  records.reserve(tenants_.size());
  for (const auto& [id, known] : tenants_) records.push_back(known.record);
  return records;
}

Result<void> TenantRegistry::set(const TenantId& tenant, std::uint64_t hash,
                                 const TenantShare& share) {
  if (Result<void> checked = check_share(share); !checked) return checked;
  const std::scoped_lock lock(mutex_);
  const auto found = tenants_.find(tenant);
  const std::size_t before = found == tenants_.end() ? 0 : found->second.record->share().guarantee;
  if (share.guarantee > capacity_ - (guaranteed_ - before)) {
    return Error(Errc::invalid_argument, "guarantee: all guarantees together exceed the capacity");
  }
  guaranteed_ = guaranteed_ - before + share.guarantee;
  Known& known = tenants_[tenant];
  if (known.record == nullptr) {
    known.record = std::make_shared<TenantRecord>(tenant, hash, share);
  } else {
    known.record->set_share(share);
  }
  known.named = true;
  return success();
}

void TenantRegistry::unset(const TenantId& tenant) {
  const std::scoped_lock lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return;
  guaranteed_ -= found->second.record->share().guarantee;
  const TenantShare share = unnamed_share();
  guaranteed_ += share.guarantee;
  found->second.record->set_share(share);
  found->second.named = false;
}

void TenantRegistry::prune() {
  const std::scoped_lock lock(mutex_);
  for (auto it = tenants_.begin(); it != tenants_.end();) {
    const bool unused = !it->second.named && it->second.record.use_count() == 1;
    if (unused) guaranteed_ -= it->second.record->share().guarantee;
    it = unused ? tenants_.erase(it) : std::next(it);
  }
}

Result<void> TenantRegistry::set_capacity(std::size_t capacity) {
  const std::scoped_lock lock(mutex_);
  if (capacity < guaranteed_) {
    return Error(Errc::invalid_argument, "capacity is below the sum of the guarantees");
  }
  capacity_ = capacity;
  return success();
}

std::size_t TenantRegistry::guaranteed() const {
  const std::scoped_lock lock(mutex_);
  return guaranteed_;
}

}  // namespace aiserve::inline v0::detail
