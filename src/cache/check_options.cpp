#include "cache/check_options.hpp"

#include <bit>
#include <chrono>
#include <string>

#include "aiserve/core/error.hpp"
#include "cache/tenant_registry.hpp"

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLeastCapacity = 4_KiB;
constexpr std::size_t kMostCapacity = std::size_t{1} << 46;
constexpr std::size_t kMostKey = 65'535;
constexpr std::size_t kMostTags = 64;
constexpr std::size_t kMostShards = 1024;

void require(const CacheOptions& options, bool holds, const std::string& rule) {
  if (!holds) throw ConfigError("cache " + options.name + ": " + rule);
}

void check_shares(const CacheOptions& options) {
  const Result<void> unnamed = check_share(options.unnamed_tenant);
  require(options, unnamed.ok(), "unnamed_tenant: " + (unnamed ? "" : unnamed.error().message()));
  require(options, options.unnamed_tenant.guarantee <= options.capacity,
          "unnamed_tenant: guarantee exceeds the capacity");
}

}  // namespace

void check_options(const CacheOptions& options) {
  require(options, options.capacity >= kLeastCapacity && options.capacity <= kMostCapacity,
          "capacity must be 4 KiB to 64 TiB");
  require(options, options.ttl >= 1ms, "ttl must be at least 1 ms");
  require(options, options.max_entry <= options.capacity, "max_entry must not exceed capacity");
  require(options, options.max_tags <= kMostTags, "max_tags must be 0 to 64");
  require(options, options.max_key >= 1 && options.max_key <= kMostKey,
          "max_key must be 1 to 65535");
  require(options, options.shards == 0 || std::has_single_bit(options.shards),
          "shards must be a power of two");
  require(options, options.shards <= kMostShards, "shards must be at most 1024");
  check_shares(options);
}

}  // namespace aiserve::inline v0::detail
