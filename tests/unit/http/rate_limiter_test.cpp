#include "aiserve/http/rate_limiter.hpp"

#include <string>

#include <doctest/doctest.h>

#include "aiserve/core/context.hpp"
#include "aiserve/core/tenant.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve {
namespace {

using namespace std::chrono_literals;

TEST_CASE("each key has its burst, then its rate") {
  RateLimiter limiter({.per_second = 10, .burst = 2});
  const TimePoint start{1h};
  CHECK(limiter.take("a", start).remaining == 1);
  CHECK(limiter.take("a", start).allowed);
  const auto refused = limiter.take("a", start);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.retry_after == 100ms);
  CHECK(limiter.take("b", start).allowed);
  CHECK_FALSE(limiter.take("a", start + 99ms).allowed);
  CHECK(limiter.take("a", start + 100ms).allowed);
  CHECK(limiter.look("a", start + 100ms).remaining == 0);
  CHECK(limiter.look("nobody", start).remaining == 2);
  CHECK(limiter.keys() == 2);
}

TEST_CASE("memory is bounded, and whoever floods with keys loses those") {
  RateLimiter limiter({.per_second = 1, .burst = 100, .max_keys = 64});
  const TimePoint now{1h};
  for (int i = 0; i < 100; ++i) (void)limiter.take("victim", now);
  for (int i = 0; i < 100'000; ++i) (void)limiter.take("flood" + std::to_string(i), now);
  CHECK(limiter.keys() <= 64);
  CHECK_FALSE(limiter.take("victim", now).allowed);
}

TEST_CASE("a key may have a rate of its own, and what makes no sense is taken as the nearest") {
  RateLimiter limiter({.per_second = 10, .burst = 2});
  const TimePoint now{1h};
  CHECK(limiter.take("big", now, {.per_second = 1, .burst = 5}).remaining == 4);
  CHECK(limiter.look("big", now, {.per_second = 1, .burst = 5}).full_after == 1s);
  CHECK(limiter.take("none", now, {.per_second = -1, .burst = -1}).allowed);
  CHECK_FALSE(limiter.take("none", now, {.per_second = 0, .burst = 0}).allowed);
  CHECK(limiter.take("all", now, {.per_second = 1e300, .burst = 1}).full_after == 1us);
}

TEST_CASE("options that cannot work are refused") {
  CHECK_THROWS_AS(RateLimiter({.per_second = 0}), ConfigError);
  CHECK_THROWS_AS(RateLimiter({.per_second = 2e6}), ConfigError);
  CHECK_THROWS_AS(RateLimiter({.burst = 0}), ConfigError);
  CHECK_THROWS_AS(RateLimiter({.per_second = 1e-9, .burst = 1000}), ConfigError);
  CHECK_THROWS_AS(RateLimiter({.max_keys = 1}), ConfigError);
  CHECK_THROWS_AS(RateLimiter({.name = "a\"b"}), ConfigError);
}

TEST_CASE("a server refuses with 429, says when to come back, and forgives in time") {
  RateLimiter limiter({.per_second = 0.5, .burst = 2, .name = "api"});
  http::InProcess s;
  s.server.before([](Context& ctx, const http::Request& request) {
    const std::string who(request.header("X-Tenant"));
    if (!who.empty()) ctx = ctx.with_tenant(Tenant({.id = TenantId(who)}));
  });
  s.server.before(http::limit(limiter));
  s.server.after(http::rate_limit_fields(limiter));
  s.server.get("/", [](const Context&, const http::Request&) { return http::text("x"); });
  s.sim.start();
  const auto first = s.client.get("/");
  CHECK(first.status == 200);
  CHECK(first.header("RateLimit-Policy") == "\"api\";q=2;w=4");
  CHECK(first.header("RateLimit") == "\"api\";r=1;t=2");
  CHECK(s.client.get("/").status == 200);
  const auto refused = s.client.get("/");
  CHECK(refused.status == 429);
  CHECK(refused.header("Retry-After") == "2");
  CHECK(refused.header("RateLimit") == "\"api\";r=0;t=4");
  CHECK(s.client.request("GET", "/", {}, {{"X-Tenant", "acme"}}).status == 200);
  s.sim.advance(2s);
  CHECK(s.client.get("/").status == 200);
  CHECK(s.client.get("/").status == 429);
}

TEST_CASE("a tenant's own rate and burst go before those of the limiter") {
  RateLimiter limiter({.per_second = 1, .burst = 1});
  http::InProcess s;
  s.server.before([](Context& ctx, const http::Request& request) {
    TenantSpec spec{.id = TenantId(request.header("X-Tenant"))};
    if (spec.id.view() == "pro") spec.limits = {.requests_per_second = 2, .burst = 3};
    ctx = ctx.with_tenant(Tenant(spec));
  });
  s.server.before(http::limit(limiter)).after(http::rate_limit_fields(limiter));
  s.server.get("/", [](const Context&, const http::Request&) { return http::text("x"); });
  s.sim.start();
  const auto ask = [&](const char* tenant) {
    return s.client.request("GET", "/", {}, {{"X-Tenant", tenant}});
  };
  CHECK(ask("free").status == 200);
  CHECK(ask("free").status == 429);
  for (int i = 0; i < 3; ++i) CHECK(ask("pro").status == 200);
  const auto refused = ask("pro");
  CHECK(refused.status == 429);
  CHECK(refused.header("RateLimit-Policy") == "\"default\";q=3;w=2");
  s.sim.advance(500ms);
  CHECK(ask("pro").status == 200);
  CHECK(ask("free").status == 429);
}

}  // namespace
}  // namespace aiserve
