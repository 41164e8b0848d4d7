/// TenantTable: tenants by id and the policy for unknown ones; what both directories swap.
/// *Thread safety:* as a std::map.
#pragma once

#include <aiserve/core/tenant_directory.hpp>

#include <unordered_map>

namespace aiserve::inline v0::detail {

struct TenantTable {
  std::unordered_map<TenantId, Tenant> tenants{};
  UnknownTenants unknown{};

  Result<Tenant> find(const TenantId& id) const {
    const auto known = tenants.find(id);
    if (known != tenants.end()) return known->second;
    return unknown.resolve(id);
  }
};

/// Reads the text of a tenant file. Errors: malformed, invalid_argument, naming the place.
Result<TenantTable> parse_tenant_file(std::string_view text);

}  // namespace aiserve::inline v0::detail
