#include "http/tenant_places.hpp"

#include <vector>

#include <doctest/doctest.h>

#include "aiserve/http/websocket.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using detail::TenantPlaces;

TEST_CASE("each name has its places, and who holds none is forgotten") {
  TenantPlaces places;
  TenantPlaces::Pass first = places.take('t', "a", 2);
  CHECK(first);
  {
    const TenantPlaces::Pass second = places.take('t', "a", 2);
    CHECK(second);
    CHECK_FALSE(places.take('t', "a", 2));
    CHECK(places.take('c', "a", 2));
    CHECK(places.take('t', "b", 1));
  }
  CHECK(places.holders() == 1);
  TenantPlaces::Pass moved = std::move(first);
  CHECK_FALSE(places.take('t', "a", 1));
  moved = TenantPlaces::Pass();
  CHECK(places.holders() == 0);
}

// The tenant is what X-Tenant says; "few" may have one request in flight, "many" three.
struct Shared : InProcess {
  explicit Shared(std::size_t per_tenant) : InProcess({.max_requests_per_tenant = per_tenant}) {
    server.before([](Context& ctx, const Request& request) {
      TenantSpec spec{.id = TenantId(request.header("X-Tenant"))};
      if (spec.id.view() == "few") spec.limits.max_in_flight = 1;
      if (spec.id.view() == "many") spec.limits.max_in_flight = 3;
      ctx = ctx.with_tenant(Tenant(spec));
    });
    const auto slow = [](const Context& ctx, const Request&) -> Async<Response> {
      const Result<void> slept = co_await sleep(ctx, 10s);
      if (!slept) co_return slept.error();
      co_return text("x");
    };
    server.get("/slow", slow).post("/slow", slow);
    server.get("/plain", [](const Context&, const Request&) { return text("x"); });
    server.events("/events", [](const Context& ctx, const Request&, EventStream) -> Async<void> {
      co_return co_await sleep(ctx, 1h);
    });
    sim.start();
  }
  TestClient::Call start(const char* tenant, const char* path = "/slow") {
    return client.start("GET", path, {}, {{"X-Tenant", tenant}});
  }
  int status(const char* tenant, const char* path = "/slow") {
    return start(tenant, path).reply().status;  // 0: it is being worked on, until the call goes
  }
};

TEST_CASE("a tenant has so many requests at a time, by its own limit or the server's") {
  Shared s(2);
  std::vector<TestClient::Call> calls;
  for (const char* tenant : {"few", "a", "a", "many", "many", "many"}) {
    calls.push_back(s.start(tenant));
    CHECK(calls.back().reply().status == 0);
  }
  for (const char* tenant : {"few", "a", "many"}) {
    CAPTURE(tenant);
    auto refused = s.start(tenant).reply();
    CHECK(refused.status == 429);
    CHECK(refused.header("Retry-After") == "1");
    CHECK(s.status(tenant, "/plain") == 200);
  }
  CHECK(s.status("b") == 0);
  s.sim.advance(10s);
  for (auto& call : calls) CHECK(call.reply().status == 200);
  CHECK(s.status("few") == 0);
}

TEST_CASE("a place is free again when its client has gone, also in the middle of a body") {
  Shared s(0);
  for (int i = 0; i < 3; ++i) {
    auto call = s.client.start_stream("POST", "/slow", {{"X-Tenant", "few"}});
    call.send("half");
    CHECK(s.status("few") == 429);
  }
  CHECK(s.status("few") == 0);
  CHECK(s.status("few") == 0);
}

TEST_CASE("event streams count, and clients of no tenant count by their address") {
  Shared s(1);
  auto stream = s.start("few", "/events");
  CHECK(stream.reply().status == 200);
  CHECK(s.status("few") == 429);
  auto call = s.start("");
  CHECK(s.status("") == 429);
  Shared unlimited(0);
  auto one = unlimited.start("");
  CHECK(unlimited.status("") == 0);
}

}  // namespace
}  // namespace aiserve::http
