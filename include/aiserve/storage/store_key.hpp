/// StoreKey: what a store keeps a value under: a tenant and a name. There is no key without a
/// tenant (the anonymous one has the empty id), so no read can see what another tenant put.
/// *Thread safety:* a value.
///
///     const StoreKey key(ctx.tenant().id(), "sessions/42");
#pragma once

#include <aiserve/core/tenant.hpp>

#include <compare>
#include <cstddef>
#include <string>
#include <utility>

namespace aiserve::inline v0 {

class StoreKey {
 public:
  /// Bytes of a name. Stores answer a longer one, and an empty one, with invalid_argument.
  static constexpr std::size_t kMaxSize = 1024;

  StoreKey() = default;
  StoreKey(TenantId tenant, std::string name) noexcept
      : tenant_(std::move(tenant)), name_(std::move(name)) {}

  const TenantId& tenant() const noexcept { return tenant_; }
  /// Any bytes, 1 to kMaxSize of them.
  const std::string& name() const noexcept { return name_; }
  Result<void> check() const {
    if (!name_.empty() && name_.size() <= kMaxSize) return success();
    return Error(Errc::invalid_argument, "a key has 1 to 1024 bytes");
  }

  friend bool operator==(const StoreKey&, const StoreKey&) noexcept = default;
  friend auto operator<=>(const StoreKey&, const StoreKey&) noexcept = default;

 private:
  TenantId tenant_;
  std::string name_;
};

}  // namespace aiserve::inline v0
