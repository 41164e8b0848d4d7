// The public Cache: options, tenants out of a Context, tags, metrics.
#include "aiserve/cache/cache.hpp"

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "cache/cache_impl.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

struct Bench {
  explicit Bench(CacheOptions options = {}) : cache(sim.runtime(), std::move(options)) {}

  std::string get(const char* tenant, KeyView key) {
    const auto hit = cache.find(TenantId(tenant), key);
    return hit ? hit->value.to_string() : std::string();
  }
  bool put(const char* tenant, KeyView key, const char* value, const EntryOptions& options = {}) {
    return cache.put(TenantId(tenant), key, Bytes::copy(std::string_view(value)), options).ok();
  }
  std::string metrics() { return telemetry.metrics().prometheus(); }

  Telemetry telemetry{{.log_level = LogLevel::error}};
  testing::SimRuntime sim{{.telemetry = &telemetry}};
  Cache cache;
};

void refused(CacheOptions options, const std::string& word) {
  testing::SimRuntime sim;
  try {
    Cache cache(sim.runtime(), std::move(options));
    FAIL("accepted: " << word);
  } catch (const ConfigError& error) {
    CHECK_MESSAGE(std::string(error.what()).find(word) != std::string::npos, error.what());
  }
}

}  // namespace

TEST_CASE("the tenant of a Context is the tenant of the entry") {
  Bench bench;
  const Context acme = Context::background().with_tenant(Tenant({.id = TenantId("acme")}));
  REQUIRE(bench.cache.put(acme, "k", Bytes::literal("v")).ok());
  CHECK(bench.cache.find(acme, "k")->value.text() == "v");
  CHECK(bench.get("acme", "k") == "v");
  CHECK_FALSE(bench.cache.find(Context::background(), "k"));
}

TEST_CASE("entries live as long as the cache's TTL, or their own") {
  Bench bench({.ttl = 10s});
  REQUIRE(bench.put("acme", "default", "v"));
  REQUIRE(bench.put("acme", "own", "v", {.ttl = 20s, .soft_ttl = 15s}));
  bench.sim.clock().advance(10s);
  CHECK(bench.get("acme", "default").empty());
  CHECK_FALSE(bench.cache.find(TenantId("acme"), "own")->stale);
  bench.sim.clock().advance(5s);
  CHECK(bench.cache.find(TenantId("acme"), "own")->stale);
  bench.sim.clock().advance(5s);
  CHECK(bench.get("acme", "own").empty());
}

TEST_CASE("a wall clock that is set back or forward changes nothing") {
  Bench bench({.ttl = 10s});
  REQUIRE(bench.put("acme", "k", "v"));
  bench.sim.clock().shift_wall(24h * 365);
  CHECK(bench.get("acme", "k") == "v");
  bench.sim.clock().shift_wall(-24h * 3650);
  CHECK(bench.get("acme", "k") == "v");
}

TEST_CASE("tags belong to their tenant and are bounded per entry") {
  Bench bench({.max_tags = 2});
  const std::string_view tags[] = {"user:1", "red", "one too many"};
  REQUIRE(bench.put("acme", "k", "v", {.tags = std::span(tags).first(2)}));
  REQUIRE(bench.put("bolt", "k", "v", {.tags = std::span(tags).first(2)}));
  CHECK_FALSE(bench.put("acme", "more", "v", {.tags = tags}));
  bench.cache.invalidate_tag(TenantId("acme"), "red");
  CHECK(bench.get("acme", "k").empty());
  CHECK(bench.get("bolt", "k") == "v");
  bench.cache.invalidate_tenant(TenantId("bolt"));
  CHECK(bench.get("bolt", "k").empty());
}

TEST_CASE("a TTL of zero or less is refused") {
  Bench bench;
  for (const Duration ttl : {Duration(0s), Duration(-1s)}) {
    const auto put = bench.cache.put(TenantId("acme"), "k", Bytes(), {.ttl = ttl});
    REQUIRE_FALSE(put);
    CHECK(put.error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("options out of their range are refused by name") {
  refused({.capacity = 100}, "capacity");
  refused({.ttl = 0s}, "ttl");
  refused({.capacity = 1_MiB, .max_entry = 2_MiB}, "max_entry");
  refused({.max_tags = 65}, "max_tags");
  refused({.max_key = 0}, "max_key");
  refused({.max_key = 65'536}, "max_key");
  refused({.shards = 3}, "shards");
  refused({.shards = 2048}, "shards");
  refused({.unnamed_tenant = {.weight = 0}}, "unnamed_tenant");
  refused({.capacity = 1_MiB,
           .tenants = {{TenantId("acme"), {.guarantee = 600_KiB}},
                       {TenantId("bolt"), {.guarantee = 600_KiB}}}},
          "bolt");
}

TEST_CASE("metrics per tenant follow with the Runtime's tick") {
  Bench bench({.name = "answers", .capacity = 1_MiB});
  REQUIRE(bench.put("acme", "k", "v", {.cost = 30ms}));
  CHECK(bench.get("acme", "k") == "v");
  CHECK(bench.get("acme", "other").empty());
  bench.cache.impl().tick();
  const std::string text = bench.metrics();
  const auto has = [&](const std::string& line) {
    CHECK_MESSAGE(text.find(line) != std::string::npos, line);
  };
  has(R"(aiserve_cache_hits_total{cache="answers",tenant="acme"} 1)");
  has(R"(aiserve_cache_misses_total{cache="answers",tenant="acme"} 1)");
  has(R"(aiserve_cache_inserts_total{cache="answers",tenant="acme"} 1)");
  has(R"(aiserve_cache_capacity_bytes{cache="answers"} 1048576)");
  has(R"(aiserve_cache_entries{cache="answers"} 1)");
  has("aiserve_cache_saved_milliseconds_total{cache=\"answers\",tenant=\"acme\"} ");
}

TEST_CASE("the cache asks for its memory budget and keeps to it") {
  std::size_t budget = 1_GiB;
  Bench bench({.capacity = 1_MiB, .memory_budget = [&] { return budget; }});
  for (int i = 0; i < 5000; ++i) REQUIRE(bench.put("acme", std::to_string(i), "a short value"));
  REQUIRE(bench.cache.snapshot().bytes > 400'000);
  budget = 100_KiB;
  bench.cache.impl().tick();
  CHECK(bench.cache.snapshot().bytes <= 100_KiB);
  CHECK(bench.cache.snapshot().capacity == 100_KiB);
  budget = 1_GiB;
  bench.cache.impl().tick();
  CHECK(bench.cache.snapshot().capacity == 1_MiB);
}

TEST_CASE("the status tells size and capacity") {
  Bench bench({.name = "answers", .capacity = 1_MiB});
  REQUIRE(bench.put("acme", "k", "v"));
  const std::string status = bench.sim.runtime().status();
  CHECK(status.find("cache answers") != std::string::npos);
  CHECK(status.find(R"("capacity_bytes":1048576)") != std::string::npos);
}
