#include "http/client_network.hpp"

#include <doctest/doctest.h>

#include "aiserve/http/quota.hpp"
#include "aiserve/http/rate_limiter.hpp"
#include "aiserve/storage/memory_key_value_store.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using detail::client_network;

TEST_CASE("an IPv4 address is a client, of IPv6 it is the /64") {
  CHECK(client_network("192.0.2.1") == "192.0.2.1");
  CHECK(client_network("2001:db8:0:1::1") == "2001:db8:0:1::/64");
  CHECK(client_network("2001:db8:0:1:ffff:ffff:ffff:ffff") == "2001:db8:0:1::/64");
  CHECK(client_network("2001:DB8:0:2::1") == "2001:db8:0:2::/64");
  CHECK(client_network("::1") == "::/64");
}

TEST_CASE("IPv4 in the clothes of IPv6 is IPv4, and what is no address stays as it is") {
  CHECK(client_network("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(client_network("unix") == "unix");
  CHECK(client_network("a:b") == "a:b");
  CHECK(client_network("").empty());
}

// Asked through a proxy that is trusted.
struct Proxied : InProcess {
  explicit Proxied(std::size_t at_a_time = 0)
      : InProcess({.trusted_proxies = {"unix"}, .max_requests_per_tenant = at_a_time}) {
    server.get("/", [](const Context&, const Request&) { return text("x"); });
    server.get("/slow", [](const Context& ctx, const Request&) -> Async<Response> {
      if (!co_await sleep(ctx, 10s)) co_return Error();
      co_return text("x");
    });
  }
  TestClient::Call start(const char* path, const char* address) {
    return client.start("GET", path, {}, {{"X-Forwarded-For", address}});
  }
  int ask(const char* address) { return start("/", address).reply().status; }
};

constexpr const char* kOne = "2001:db8:0:1::1";
constexpr const char* kItsNeighbour = "2001:db8:0:1:ffff::2";
constexpr const char* kAnother = "2001:db8:0:2::1";

TEST_CASE("all addresses of an IPv6 network share one quota") {
  Proxied s;
  MemoryKeyValueStore store;
  Quota quota(store, {.limits = {.per_day = 1}});
  s.server.around(http::quota(quota));
  s.sim.start();
  CHECK(s.ask(kOne) == 200);
  CHECK(s.ask(kItsNeighbour) == 429);
  CHECK(s.ask(kAnother) == 200);
}

TEST_CASE("all addresses of an IPv6 network share one rate") {
  Proxied s;
  RateLimiter limiter({.per_second = 1, .burst = 1});
  s.server.before(limit(limiter));
  s.sim.start();
  CHECK(s.ask(kOne) == 200);
  CHECK(s.ask(kItsNeighbour) == 429);
  CHECK(s.ask(kAnother) == 200);
}

TEST_CASE("all addresses of an IPv6 network share the places of one client") {
  Proxied s(1);
  s.sim.start();
  auto one = s.start("/slow", kOne);
  CHECK(one.reply().status == 0);
  auto neighbour = s.start("/slow", kItsNeighbour);
  CHECK(neighbour.reply().status == 429);
  auto another = s.start("/slow", kAnother);
  CHECK(another.reply().status == 0);
}

}  // namespace
}  // namespace aiserve::http
