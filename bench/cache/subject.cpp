#include "cache/subject.hpp"

#include <chrono>

namespace bench {

using namespace std::chrono_literals;

namespace {

aiserve::CacheOptions options(std::size_t capacity,
                              const std::array<aiserve::TenantId, 4>& tenants) {
  aiserve::CacheOptions made{.capacity = capacity, .ttl = 10min};
  for (const aiserve::TenantId& tenant : tenants) {
    made.tenants.push_back({tenant, {.guarantee = capacity / 16}});
  }
  return made;
}

}  // namespace

CacheSubject::CacheSubject(std::size_t capacity)
    : tenants_{aiserve::TenantId("acme"), aiserve::TenantId("bolt"), aiserve::TenantId("core"),
               aiserve::TenantId("dash")},
      entry_{.ttl = 10min, .cost = 20ms},
      telemetry_({.log_level = aiserve::LogLevel::error}),
      runtime_({.telemetry = &telemetry_}),
      cache_(runtime_, options(capacity, tenants_)) {}

}  // namespace bench
