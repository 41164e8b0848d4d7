#include "aiserve/core/tenant.hpp"

#include <algorithm>
#include <cmath>

namespace aiserve::inline v0 {
namespace {

bool printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool positive(double value) noexcept { return std::isfinite(value) && value > 0; }

Error invalid(std::string message) { return {Errc::invalid_argument, std::move(message)}; }

Result<void> check(const TenantLimits& limits) {
  if (limits.requests_per_second && !positive(*limits.requests_per_second)) {
    return invalid("tenant requests_per_second must be a number above 0");
  }
  if (limits.burst && !(std::isfinite(*limits.burst) && *limits.burst >= 1)) {
    return invalid("tenant burst must be a number of at least 1");
  }
  if (limits.max_in_flight && *limits.max_in_flight == 0) {
    return invalid("tenant max_in_flight must be at least 1");
  }
  return success();
}

Result<void> check(const TenantSpec& spec) {
  if (spec.id.value().size() > TenantId::kMaxSize || !printable(spec.id.view())) {
    return invalid("tenant id must be at most 128 printable ASCII characters without space");
  }
  if (spec.plan.empty() || !printable(spec.plan)) {
    return invalid("tenant plan must be printable ASCII without space");
  }
  if (!positive(spec.weight)) return invalid("tenant weight must be a number above 0");
  return check(spec.limits);
}

}  // namespace

Result<TenantId> TenantId::parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxSize || !printable(text)) {
    return invalid("tenant id must be 1 to 128 printable ASCII characters without space");
  }
  return TenantId(text);
}

Result<Tenant> Tenant::make(TenantSpec spec) {
  if (Result<void> checked = check(spec); !checked) return std::move(checked).error();
  std::sort(spec.scopes.begin(), spec.scopes.end());
  spec.scopes.erase(std::unique(spec.scopes.begin(), spec.scopes.end()), spec.scopes.end());
  return Tenant(std::make_shared<const TenantSpec>(std::move(spec)));
}

Tenant::Tenant(TenantSpec spec) {
  Result<Tenant> made = make(std::move(spec));
  if (!made) throw ConfigError(made.error().message());
  data_ = std::move(made->data_);
}

bool Tenant::has_scope(std::string_view scope) const noexcept {
  const auto& scopes = data().scopes;
  return std::binary_search(scopes.begin(), scopes.end(), scope);
}

const TenantSpec& Tenant::data() const noexcept {
  static const TenantSpec kAnonymous;
  return data_ == nullptr ? kAnonymous : *data_;
}

}  // namespace aiserve::inline v0
