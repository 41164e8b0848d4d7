#include "aiserve/http/quota.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/http/websocket.hpp"
#include "aiserve/storage/memory_key_value_store.hpp"
#include "aiserve/testing/manual_clock.hpp"
#include "aiserve/testing/sim_runtime.hpp"
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

TEST_CASE("before the handler a quota counts streams, event streams and WebSockets as well") {
  InProcess s;
  MemoryKeyValueStore store{{.clock = &s.sim.clock()}};
  Quota quota(store, {.limits = {.per_day = 4}});
  s.server.before(within_quota(quota, [](const Context&, const Request& request) {
    return std::string(request.header("X-Key"));
  }));
  s.server.get("/", [](const Context&, const Request&) { return text("x"); });
  s.server.get("/stream", [](const Context&, const Request&, BodyWriter& out) -> Async<void> {
    const std::string part = "streamed";
    co_return co_await out.write(part);
  });
  s.server.events("/events", [](const Context&, const Request&, EventStream) -> Async<void> {
    co_return success();
  });
  s.server.websocket("/socket", [](WebSocket&, const MessageView&) {});
  s.sim.start();
  const auto ask = [&](const char* path, const char* key = "a") {
    return s.client.request("GET", path, {}, {{"X-Key", key}});
  };
  CHECK(ask("/").status == 200);
  CHECK(ask("/stream").body == "streamed");
  CHECK(ask("/events").status == 200);
  CHECK(ask("/socket").status == 426);
  for (const char* path : {"/", "/stream", "/events", "/socket"}) {
    CAPTURE(path);
    const auto refused = ask(path);
    CHECK(refused.status == 429);
    CHECK(refused.header("Retry-After") == "86400");
  }
  CHECK(ask("/stream", "b").status == 200);
  s.sim.clock().shift_wall(24h);
  CHECK(ask("/events").status == 200);
}

TEST_CASE("counts that cannot be read are a 500, not a quota that starts anew") {
  for (const char* bad : {"", "x", "1 2", "1.5", "99999999999999999999"}) {
    CAPTURE(bad);
    Metered s({.limits = {.per_day = 1}});
    const StoreKey key(TenantId("a"), "quota/quota/d20454/t");
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

TEST_CASE("a count is kept until a day after its day or month, not longer") {
  InProcess s;
  testing::ManualClock clock;
  MemoryKeyValueStore store({.clock = &clock});
  Quota quota(store, {.limits = {.per_day = 1, .per_month = 1}});
  const WallTime late = s.sim.clock().wall_now() + std::chrono::days(30) - 1h;
  const auto run = [&](auto work) {
    spawn(s.sim.runtime(), Context::background(), work);
    s.sim.run_until_idle();
  };
  const auto kept = [&] {
    Result<std::vector<StoreKey>> found;
    run([&](const Context& ctx) -> Async<void> {
      const TenantId nobody;
      const KeyPage page;
      found = co_await store.list(ctx, nobody, page);
      co_return success();
    });
    return found.value().size();
  };
  run([&](const Context& ctx) -> Async<void> {
    const std::string count = "t";
    (void)co_await quota.take(ctx, count, 1, late);
    co_return success();
  });
  clock.advance(25h - 1s);
  CHECK(kept() == 2);
  clock.advance(1s);
  CHECK(kept() == 1);
  clock.advance(24h - 1s);
  CHECK(kept() == 1);
  clock.advance(1s);
  CHECK(kept() == 0);
}

TEST_CASE("what the month refuses is given back to the day") {
  Metered s({.limits_of = [](const Tenant& tenant) {
    return tenant.plan() == "pro" ? QuotaLimits{.per_day = 3, .per_month = 9}
                                  : QuotaLimits{.per_day = 3, .per_month = 1};
  }});
  CHECK(s.ask("a").status == 200);
  const auto refused = s.ask("a");
  CHECK(refused.status == 429);
  CHECK(refused.header("RateLimit") == "\"quota-day\";r=2;t=86400");
  CHECK(s.ask("a", "pro").status == 200);
  CHECK(s.ask("a", "pro").status == 200);
  CHECK(s.ask("a", "pro").status == 429);
}

TEST_CASE("clocks that jump back or differ find the counts of their own day, and give none away") {
  Metered s({.limits = {.per_day = 2}});
  s.sim.clock().shift_wall(25h);
  CHECK(s.ask("a").status == 200);
  s.sim.clock().shift_wall(-24h);
  CHECK(s.ask("a").status == 200);
  s.sim.clock().shift_wall(24h);
  CHECK(s.ask("a").status == 200);
  CHECK(s.ask("a").status == 429);
  s.sim.clock().shift_wall(-24h);
  CHECK(s.ask("a").status == 200);
  CHECK(s.ask("a").status == 429);
}

// Every operation takes a while, so that many are under way at once.
class SlowStore final : public KeyValueStore {
 public:
  explicit SlowStore(KeyValueStore& store) : store_(store) {}
  Async<std::optional<Versioned>> get(const Context& ctx, const StoreKey& key) override {
    return store_.get(ctx, key);
  }
  Async<std::int64_t> put(const Context& ctx, const StoreKey& key, const Bytes& value,
                          const PutOptions& options) override {
    return store_.put(ctx, key, value, options);
  }
  Async<Sum> add(const Context& ctx, const StoreKey& key, std::int64_t amount,
                 const AddOptions& options) override {
    ++operations;
    if (auto slept = co_await sleep(ctx, 10ms); !slept) co_return slept.error();
    co_return co_await store_.add(ctx, key, amount, options);
  }
  Async<bool> erase(const Context& ctx, const StoreKey& key,
                    std::optional<std::int64_t> if_version) override {
    return store_.erase(ctx, key, if_version);
  }
  Async<std::vector<StoreKey>> list(const Context& ctx, const TenantId& tenant,
                                    const KeyPage& page) override {
    return store_.list(ctx, tenant, page);
  }
  int operations = 0;

 private:
  KeyValueStore& store_;
};

TEST_CASE("hundreds of one tenant at once on a slow store get exactly what the quota gives") {
  testing::SimRuntime sim;
  MemoryKeyValueStore memory({.clock = &sim.clock()});
  SlowStore store(memory);
  Quota quota(store, {.limits = {.per_month = 120}});
  sim.start();
  int allowed = 0;
  int refused = 0;
  const std::string key = "t";
  const auto ask = [&](const Context& ctx) -> Async<void> {
    const auto verdict = co_await quota.take(ctx, key, 1, sim.clock().wall_now());
    if (verdict.ok()) ++(verdict->allowed ? allowed : refused);
    co_return success();
  };
  for (int i = 0; i < 300; ++i) spawn(sim.runtime(), Context::background(), ask);
  sim.advance(10ms);
  CHECK(allowed == 120);
  CHECK(refused == 180);
  CHECK(store.operations == 300);  // nobody had to try again
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
