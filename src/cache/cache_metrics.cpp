#include "cache/cache_metrics.hpp"

#include <array>
#include <utility>

namespace aiserve::inline v0::detail {
namespace {

struct Family {
  const char* name;
  const char* help;
  const char* by;  // value of the label "by"; nullptr: no such label
  std::uint64_t (*read)(const CacheCounts&);
};

template <std::uint64_t CacheCounts::*Member>
std::uint64_t count(const CacheCounts& counts) noexcept {
  return counts.*Member;
}

std::uint64_t saved_ms(const CacheCounts& counts) noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(counts.saved).count());
}

constexpr const char* kEvictions = "aiserve_cache_evictions_total";
constexpr const char* kEvictionsHelp =
    "Entries of the tenant that made room, by who needed it: the tenant itself or others";

constexpr std::array kFamilies{
    Family{"aiserve_cache_hits_total", "Look-ups that found a value", nullptr,
           count<&CacheCounts::hits>},
    Family{"aiserve_cache_misses_total", "Look-ups that found none", nullptr,
           count<&CacheCounts::misses>},
    Family{"aiserve_cache_stale_total", "Hits past their soft TTL", nullptr,
           count<&CacheCounts::stale>},
    Family{"aiserve_cache_coalesced_total", "Misses that joined a load in flight", nullptr,
           count<&CacheCounts::coalesced>},
    Family{"aiserve_cache_inserts_total", "Values stored", nullptr, count<&CacheCounts::inserts>},
    Family{"aiserve_cache_expired_total", "Entries found after their time", nullptr,
           count<&CacheCounts::expired>},
    Family{"aiserve_cache_invalidated_total", "Entries found declared dead", nullptr,
           count<&CacheCounts::invalidated>},
    Family{"aiserve_cache_refused_total", "Values that found no room", nullptr,
           count<&CacheCounts::refused>},
    Family{kEvictions, kEvictionsHelp, "own", count<&CacheCounts::evicted_by_own>},
    Family{kEvictions, kEvictionsHelp, "others", count<&CacheCounts::evicted_by_others>},
    Family{"aiserve_cache_saved_milliseconds_total", "Model time that hits saved", nullptr,
           saved_ms},
};

}  // namespace

CacheMetrics::CacheMetrics(Telemetry& telemetry, const std::string& cache, const MemoryTier& tier)
    : tenants_(telemetry.tenants()),
      tier_(tier),
      listener_failures_(telemetry.metrics().counter("aiserve_cache_listener_failures_total",
                                                     "Exceptions that eviction listeners threw",
                                                     {{"cache", cache}})) {
  Metrics& metrics = telemetry.metrics();
  counters_.reserve(kFamilies.size());
  for (const Family& family : kFamilies) {
    Labels labels{{"cache", cache}};
    if (family.by != nullptr) labels.add({"by", family.by});
    counters_.push_back(&metrics.counter(family.name, family.help, tenants_, labels));
  }
  const auto gauge = [&](const char* name, const char* help, std::function<double()> read) {
    gauges_.push_back(metrics.gauge(name, help, {{"cache", cache}}, std::move(read)));
  };
  gauge("aiserve_cache_bytes", "Bytes of all entries, overhead included",
        [&tier] { return static_cast<double>(tier.bytes()); });
  gauge("aiserve_cache_capacity_bytes", "Bytes that may be used now",
        [&tier] { return static_cast<double>(tier.capacity()); });
  gauge("aiserve_cache_entries", "Entries",
        [&tier] { return static_cast<double>(tier.entries()); });
}

// Strangers, who never stored anything, only have misses.
void CacheMetrics::update() {
  const CacheSnapshot now = tier_.snapshot();
  std::unordered_map<TenantId, CacheCounts> seen;
  for (const TenantUse& use : now.tenants) {
    const CacheCounts before = before_[use.tenant];
    const BoundedLabel::Slot slot = tenants_.slot(use.tenant.view());
    for (std::size_t i = 0; i < kFamilies.size(); ++i) {
      const std::uint64_t total = kFamilies[i].read(use.counts);
      const std::uint64_t known = kFamilies[i].read(before);
      if (total > known) counters_[i]->inc(slot, total - known);
    }
    seen.emplace(use.tenant, use.counts);
  }
  before_ = std::move(seen);
  const std::uint64_t failures = tier_.listener_failures();
  listener_failures_.inc(failures - std::exchange(failures_before_, failures));
}

}  // namespace aiserve::inline v0::detail
