#include "aiserve/core/tenant_directory.hpp"

#include <mutex>
#include <shared_mutex>
#include <utility>

#include "core/tenant_table.hpp"

namespace aiserve::inline v0 {

UnknownTenants UnknownTenants::admit(TenantSpec plan) {
  UnknownTenants policy;
  policy.plan_ = Tenant(std::move(plan));
  return policy;
}

Result<Tenant> UnknownTenants::resolve(const TenantId& id) const {
  if (!plan_) return Error(Errc::permission_denied, "unknown tenant");
  TenantSpec spec = plan_->spec();
  spec.id = id;
  return Tenant::make(std::move(spec));
}

struct StaticTenantDirectory::Impl {
  mutable std::shared_mutex mutex;
  detail::TenantTable table;
};

StaticTenantDirectory::StaticTenantDirectory(std::vector<TenantSpec> tenants,
                                             UnknownTenants unknown)
    : impl_(std::make_unique<Impl>()) {
  impl_->table.unknown = std::move(unknown);
  for (TenantSpec& spec : tenants) {
    const TenantId id = spec.id;
    if (impl_->table.tenants.contains(id)) {
      throw ConfigError("tenant " + id.value() + " is there twice");
    }
    if (Result<void> added = put(std::move(spec)); !added) {
      throw ConfigError(added.error().message() + " (tenant " + id.value() + ")");
    }
  }
}

StaticTenantDirectory::~StaticTenantDirectory() = default;

Result<Tenant> StaticTenantDirectory::find(const TenantId& id) const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->table.find(id);
}

Result<void> StaticTenantDirectory::put(TenantSpec tenant) {
  if (tenant.id.empty()) return Error(Errc::invalid_argument, "tenant id must not be empty");
  Result<Tenant> made = Tenant::make(std::move(tenant));
  if (!made) return std::move(made).error();
  TenantId id = made->id();
  const std::scoped_lock lock(impl_->mutex);
  impl_->table.tenants.insert_or_assign(std::move(id), std::move(*made));
  return success();
}

bool StaticTenantDirectory::remove(const TenantId& id) {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->table.tenants.erase(id) > 0;
}

void StaticTenantDirectory::set_unknown(UnknownTenants unknown) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->table.unknown = std::move(unknown);
}

std::size_t StaticTenantDirectory::size() const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->table.tenants.size();
}

}  // namespace aiserve::inline v0
