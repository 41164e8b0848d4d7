#include "cache/cache_impl.hpp"

#include <fmt/format.h>

#include "aiserve/core/log.hpp"
#include "aiserve/core/telemetry.hpp"
#include "cache/check_options.hpp"

namespace aiserve::inline v0::detail {
namespace {

CacheOptions checked(CacheOptions options) {
  check_options(options);
  return options;
}

}  // namespace

CacheImpl::CacheImpl(Runtime& runtime, CacheOptions given)
    : options(checked(std::move(given))),
      clock(runtime.clock()),
      tier(options, clock.now()),
      metrics(runtime.telemetry(), options.name, tier),
      loading(runtime, options, tier) {
  for (const CacheOptions::NamedShare& named : options.tenants) {
    const Result<void> set = tier.set_tenant(named.tenant, named.share);
    if (!set) {
      throw ConfigError("cache " + options.name + ": tenants: " + std::string(named.tenant.view()) +
                        ": " + set.error().message());
    }
  }
  attachment = runtime.attach({.name = "cache " + options.name,
                               .start = [this] { loading.start(); },
                               .stop_accepting = [this] { loading.leave(); },
                               .gate = &loading.gate(),
                               .tick = [this] { tick(); },
                               .cancel = [this] { loading.cancel(); },
                               .join = [this] { loading.finish(); },
                               .busy_with = [this] { return loading.busy_with(); },
                               .status = [this] { return status(); }});
}

Result<TierPut> CacheImpl::settle(const TenantId& tenant, const EntryOptions& entry,
                                  std::vector<CacheLabel>& labels) const {
  if (entry.tags.size() > options.max_tags) {
    return Error(Errc::invalid_argument, "too many tags");
  }
  labels.reserve(entry.tags.size());
  for (const std::string_view tag : entry.tags) {
    labels.push_back(tier.label(tenant, kTagLabel, tag));
  }
  return TierPut{.ttl = entry.ttl.value_or(options.ttl),
                 .soft_ttl = entry.soft_ttl.value_or(kForever),
                 .stale_if_error = entry.stale_if_error,
                 .cost = entry.cost,
                 .negative = entry.negative,
                 .labels = labels};
}

void CacheImpl::tick() {
  if (options.memory_budget) tier.shrink_to(options.memory_budget());
  metrics.update();
  tier.prune();
  loading.tick();
}

std::string CacheImpl::status() const {
  return fmt::format(R"({{"capacity_bytes":{},"bytes":{},"entries":{}}})", tier.capacity(),
                     tier.bytes(), tier.entries());
}

}  // namespace aiserve::inline v0::detail
