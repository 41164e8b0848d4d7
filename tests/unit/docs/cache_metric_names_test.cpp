// The metrics that docs/cache.md and docs/memoize.md name are those that a Cache exports.
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "aiserve/cache/cache.hpp"
#include "aiserve/cache/memory_cache_tier.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/events/memory_event_bus.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "cache/cache_impl.hpp"

using namespace aiserve;

namespace {

std::set<std::string> names(const std::string& text, const char* pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    found.insert((*it)[1]);
  }
  return found;
}

std::string read(const std::string& path) {
  std::ifstream file(std::string(AISERVE_ROOT "/") + path);
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// By a cache that has all it can have, after a look-up that found something.
std::set<std::string> exported() {
  Telemetry telemetry({.log_level = LogLevel::error});
  testing::SimRuntime sim({.telemetry = &telemetry});
  MemoryEventBus bus;
  MemoryCacheTier tier(1_MiB);
  Cache cache(sim.runtime(), {.digest_key = DigestKey::from_secret("sixteen or more letters")});
  const auto memo = cache.memoize<std::string>(
      "echo",
      [](const Context&, const std::string& input) -> Async<std::string> { co_return input; });
  cache.add_tier(tier);
  cache.follow(bus);
  sim.start();
  const TenantId acme("acme");
  REQUIRE(cache.put(acme, "k", Bytes::literal("v")));
  REQUIRE(cache.find(acme, "k"));
  cache.impl().tick();
  return names(telemetry.metrics().prometheus(), R"(# TYPE (aiserve_cache_\w+))");
}

}  // namespace

TEST_CASE("every metric of a Cache is in the documentation, and no other") {
  const std::set<std::string> known = exported();
  const std::string pages = read("docs/cache.md") + read("docs/memoize.md");
  const std::set<std::string> named = names(pages, R"(`(aiserve_cache_\w+)`)");
  REQUIRE(known.size() >= 20);
  for (const std::string& name : known) CHECK_MESSAGE(named.count(name) == 1, name);
  for (const std::string& name : named) CHECK_MESSAGE(known.count(name) == 1, name);
}
