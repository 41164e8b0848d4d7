#include "aiserve/http/quota.hpp"

#include <string>

#include <doctest/doctest.h>

#include "aiserve/storage/memory_key_value_store.hpp"
#include "aiserve/testing/manual_clock.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

// The tenant is what X-Tenant says, its plan what X-Plan does. Time begins at midnight of
// 2026-01-01.
struct Metered : InProcess {
  explicit Metered(QuotaOptions options) : quota(store, std::move(options)) {
    server.before([](Context& ctx, const Request& request) {
      TenantSpec spec{.id = TenantId(request.header("X-Tenant"))};
      if (request.has_header("X-Plan")) spec.plan = request.header("X-Plan");
      ctx = ctx.with_tenant(Tenant(spec));
    });
    server.around(http::quota(quota));
    server.get("/", [](const Context&, const Request&) { return text("x"); });
    server.get("/none", [](const Context&, const Request&) -> Result<Response> {
      return Error(Errc::not_found, "none");
    });
    sim.start();
  }
  TestClient::Reply ask(const char* tenant, const char* plan = "default", const char* path = "/") {
    return client.request("GET", path, {}, {{"X-Tenant", tenant}, {"X-Plan", plan}});
  }

  MemoryKeyValueStore store{{.clock = &sim.clock()}};
  Quota quota;
};

TEST_CASE("a tenant has so many requests a day, and is told how many are left") {
  Metered s({.limits = {.per_day = 2}});
  const auto first = s.ask("a");
  CHECK(first.status == 200);
  CHECK(first.header("RateLimit-Policy") == "\"quota-day\";q=2;w=86400");
  CHECK(first.header("RateLimit") == "\"quota-day\";r=1;t=86400");
  CHECK(s.ask("a", "default", "/none").status == 404);
  s.sim.clock().shift_wall(23h);
  const auto refused = s.ask("a");
  CHECK(refused.status == 429);
  CHECK(refused.header("Retry-After") == "3600");
  CHECK(refused.header("RateLimit") == "\"quota-day\";r=0;t=3600");
  CHECK(s.ask("b").status == 200);
  s.sim.clock().shift_wall(1h);
  CHECK(s.ask("a").header("RateLimit") == "\"quota-day\";r=1;t=86400");
}

TEST_CASE("a day and a month are counted together, and a refused request in neither") {
  Metered s({.limits = {.per_day = 10, .per_month = 12}, .name = "api"});
  for (int i = 0; i < 12; ++i) (void)s.ask("a");
  s.sim.clock().shift_wall(24h);
  CHECK(s.ask("a").status == 200);
  const auto last = s.ask("a");
  CHECK(last.status == 200);
  const auto refused = s.ask("a");
  CHECK(refused.status == 429);
  CHECK(refused.header("Retry-After") == std::to_string(30 * 86'400));
  CHECK(refused.body.find("used up") != std::string::npos);
  s.sim.clock().shift_wall(30 * 24h);
  CHECK(s.ask("a").status == 200);
}

TEST_CASE("a plan may have quotas of its own, or none") {
  Metered s({.limits_of = [](const Tenant& tenant) {
    return tenant.plan() == "pro" ? QuotaLimits{} : QuotaLimits{.per_day = 1};
  }});
  CHECK(s.ask("a").status == 200);
  CHECK(s.ask("a").status == 429);
  for (int i = 0; i < 3; ++i) CHECK(s.ask("b", "pro").status == 200);
  CHECK(s.ask("b", "pro").header("RateLimit").empty());
}

TEST_CASE("clients without a tenant have a count each, or what the key says") {
  Metered s({.limits = {.per_day = 1}});
  CHECK(s.ask("").status == 200);
  CHECK(s.ask("").status == 429);
  InProcess other;
  MemoryKeyValueStore store;
  Quota quota(store, {.limits = {.per_day = 1}});
  other.server.around(http::quota(quota, [](const Context&, const Request& request) {
    return std::string(request.header("X-Key"));
  }));
  other.server.get("/", [](const Context&, const Request&) { return text("x"); });
  other.sim.start();
  const auto ask = [&](std::string key) {
    return other.client.request("GET", "/", {}, {{"X-Key", std::move(key)}}).status;
  };
  CHECK(ask("a") == 200);
  CHECK(ask("b") == 200);
  CHECK(ask("a") == 429);
  CHECK(ask(std::string(1000, 'k')) == 422);
}

TEST_CASE("counts that cannot be read are a 500, not a quota that starts anew") {
  for (const char* bad :
       {"", "1 2 3", "1 2 3 x", "1 -2 3 4", "1 2 3 4 5", "99999999999999999999"}) {
    CAPTURE(bad);
    Metered s({.limits = {.per_day = 1}});
    const StoreKey key(TenantId("a"), "quota/quota/t");
    const Bytes value = Bytes::copy(std::string_view(bad));
    const PutOptions any{};
    const Context& ctx = Context::background();
    Result<std::int64_t> put;
    spawn(s.sim.runtime(), ctx, [&](const Context& own) -> Async<void> {
      put = co_await s.store.put(own, key, value, any);
      co_return success();
    });
    s.sim.run_until_idle();
    REQUIRE(put.ok());
    CHECK(s.ask("a").status == 500);
  }
}

TEST_CASE("a count is kept until a day after its month, not longer") {
  InProcess s;
  testing::ManualClock clock;
  MemoryKeyValueStore store({.clock = &clock});
  Quota quota(store, {.limits = {.per_day = 1}});
  const StoreKey key(TenantId(), "quota/quota/t");
  const WallTime late = s.sim.clock().wall_now() + std::chrono::days(31) - 1h;
  const auto run = [&](auto work) {
    spawn(s.sim.runtime(), Context::background(), work);
    s.sim.run_until_idle();
  };
  const auto is_there = [&] {
    Result<std::optional<Versioned>> found;
    run([&](const Context& ctx) -> Async<void> {
      found = co_await store.get(ctx, key);
      co_return success();
    });
    return found.value().has_value();
  };
  run([&](const Context& ctx) -> Async<void> {
    const std::string count = "t";
    (void)co_await quota.take(ctx, count, 1, late);
    co_return success();
  });
  clock.advance(25h - 1s);
  CHECK(is_there());
  clock.advance(1s);
  CHECK_FALSE(is_there());
}

TEST_CASE("quotas that cannot work are refused") {
  MemoryKeyValueStore store;
  CHECK_THROWS_AS(Quota(store, {}), ConfigError);
  CHECK_THROWS_AS(Quota(store, {.limits = {.per_day = -1}}), ConfigError);
  CHECK_THROWS_AS(Quota(store, {.limits = {.per_month = -1}}), ConfigError);
  CHECK_THROWS_AS(Quota(store, {.limits = {.per_day = 1}, .name = "a b"}), ConfigError);
  CHECK_THROWS_AS(Quota(store, {.limits = {.per_day = 1}, .name = ""}), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
