// Who a request comes from, and how many connections he may have.
#include <doctest/doctest.h>

#include "aiserve/core/async.hpp"
#include "unit/http/client.hpp"
#include "unit/http/proxy_bytes.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

struct Peers : Simulation {
  explicit Peers(ServerOptions given) : Simulation(std::move(given)) {
    server.get("/", [](const Context&, const Request& request) {
      return text(std::string(request.peer()) + "|" + std::string(request.client()) + "|" +
                  std::string(request.scheme()));
    });
    sim.start();
  }
  std::string ask(RawClient& client, const std::string& bytes) {
    client.send(bytes);
    const std::string before =
        metric(R"(aiserve_http_requests_total{method="GET",route="/",server="http",status="200"})");
    (void)run_until([&] {
      return metric(
                 R"(aiserve_http_requests_total{method="GET",route="/",server="http",status="200"})") !=
             before;
    });
    return client.reply().body;
  }
  std::string ask(const std::string& fields) {
    RawClient client(server.port());
    return ask(client, "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  }
};

TEST_CASE("what a peer says of its client counts for nothing unless it is a trusted proxy") {
  Peers peers({});
  CHECK(peers.ask("X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.7;proto=https\r\n"
                  "X-Forwarded-Proto: https\r\n") == "127.0.0.1|127.0.0.1|http");
}

TEST_CASE("the client is the last address that no trusted proxy has") {
  Peers peers({.trusted_proxies = {"127.0.0.1", "10.0.0.0/8"}});
  const auto client = [&](const std::string& value) {
    return peers.ask("X-Forwarded-For: " + value + "\r\n");
  };
  CHECK(client("192.0.2.7") == "127.0.0.1|192.0.2.7|http");
  CHECK(client("1.1.1.1, 192.0.2.7") == "127.0.0.1|192.0.2.7|http");
  CHECK(client("1.1.1.1, 192.0.2.7, 10.1.1.1,10.2.2.2") == "127.0.0.1|192.0.2.7|http");
  CHECK(client("1.1.1.1\r\nX-Forwarded-For: 192.0.2.7\r\nx-forwarded-for: 10.0.0.1") ==
        "127.0.0.1|192.0.2.7|http");
  CHECK(client("10.0.0.1, 10.0.0.2") == "127.0.0.1|10.0.0.1|http");
  CHECK(client("192.0.2.7, nonsense, 10.0.0.2") == "127.0.0.1|10.0.0.2|http");
  CHECK(client("192.0.2.7, unknown") == "127.0.0.1|127.0.0.1|http");
  CHECK(client("") == "127.0.0.1|127.0.0.1|http");
  CHECK(client("[2001:db8::7]:80") == "127.0.0.1|2001:db8::7|http");
  CHECK(peers.ask("Forwarded: for=192.0.2.7;proto=https\r\n") == "127.0.0.1|127.0.0.1|http");
  CHECK(peers.ask("X-Forwarded-Proto: https\r\n") == "127.0.0.1|127.0.0.1|https");
  CHECK(peers.ask("X-Forwarded-Proto: https, http\r\n") == "127.0.0.1|127.0.0.1|http");
  std::string chain = "192.0.2.7";
  for (int i = 0; i < 40; ++i) chain += ", 10.0.0." + std::to_string(i);
  CHECK(client(chain) == "127.0.0.1|10.0.0.8|http");
}

TEST_CASE("Forwarded is read where it is what the proxies write, and only then") {
  Peers peers({.trusted_proxies = {"127.0.0.1"}, .forwarded_by = ForwardedBy::forwarded});
  CHECK(peers.ask("Forwarded: for=1.1.1.1, for=\"[2001:db8::7]:80\";proto=https\r\n") ==
        "127.0.0.1|2001:db8::7|https");
  CHECK(peers.ask("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n") ==
        "127.0.0.1|127.0.0.1|http");
  CHECK(peers.ask("Forwarded: for=1.1.1.1;a=\", for=192.0.2.7\r\n") == "127.0.0.1|192.0.2.7|http");
}

TEST_CASE("a PROXY header of a trusted proxy names the peer") {
  Peers peers({.trusted_proxies = {"127.0.0.1"}, .proxy_protocol = true});
  RawClient client(peers.server.port());
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n";
  CHECK(peers.ask(client, proxy_header({192, 0, 2, 7}, "extra") + get) ==
        "192.0.2.7|192.0.2.7|http");
  CHECK(peers.ask(client, get) == "192.0.2.7|192.0.2.7|http");
  RawClient slow(peers.server.port());
  for (const char byte : proxy_header({192, 0, 2, 8}, {})) {
    slow.send(std::string_view(&byte, 1));
    peers.sim.run_until_idle();
  }
  CHECK(peers.ask(slow, get) == "192.0.2.8|192.0.2.8|http");
}

TEST_CASE(
    "a trusted proxy that sends no PROXY header is closed, and another peer's is no request") {
  Peers strict({.trusted_proxies = {"127.0.0.1"}, .proxy_protocol = true});
  RawClient client(strict.server.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(strict.run_until([&] {
    return strict.metric(R"(aiserve_http_refused_total{cause="proxy_header",server="http"})") ==
           "1";
  }));
  CHECK(client.wait_for_end());
  CHECK(client.received().empty());
  CHECK(strict.server.connections() == 0);
  RawClient silent(strict.server.port());
  REQUIRE(strict.run_until([&] { return strict.server.connections() == 1; }));
  strict.sim.advance(11s);
  CHECK(silent.wait_for_end());

  Peers others({.trusted_proxies = {"10.0.0.0/8"}, .proxy_protocol = true});
  RawClient liar(others.server.port());
  liar.send(proxy_header({192, 0, 2, 7}, {}) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(others.run_until([&] { return others.server.connections() == 1; }));
  (void)others.run_until([&] { return liar.wait_for("\r\n\r\n"); });
  CHECK(liar.received().find("HTTP/1.1 400") == 0);
  CHECK(others.ask("") == "127.0.0.1|127.0.0.1|http");
}

TEST_CASE("a peer may have so many connections, and its place is free when one ends") {
  Peers peers({.max_connections_per_peer = 2});
  RawClient first(peers.server.port());
  RawClient second(peers.server.port());
  REQUIRE(peers.run_until([&] { return peers.server.connections() == 2; }));
  RawClient third(peers.server.port());
  REQUIRE(peers.run_until([&] {
    return peers.metric(R"(aiserve_http_refused_total{cause="peer_limit",server="http"})") == "1";
  }));
  CHECK(third.wait_for_end());
  CHECK(peers.ask(second, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") == "127.0.0.1|127.0.0.1|http");
  first.close();
  REQUIRE(peers.run_until([&] { return peers.server.connections() == 1; }));
  CHECK(peers.ask("") == "127.0.0.1|127.0.0.1|http");
}

TEST_CASE("a proxy's connections count for whom it speaks") {
  Peers peers(
      {.trusted_proxies = {"127.0.0.1"}, .proxy_protocol = true, .max_connections_per_peer = 1});
  RawClient one(peers.server.port());
  RawClient two(peers.server.port());
  RawClient again(peers.server.port());
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(peers.ask(one, proxy_header({192, 0, 2, 1}, {}) + get) == "192.0.2.1|192.0.2.1|http");
  CHECK(peers.ask(two, proxy_header({192, 0, 2, 2}, {}) + get) == "192.0.2.2|192.0.2.2|http");
  again.send(proxy_header({192, 0, 2, 1}, {}) + get);
  REQUIRE(peers.run_until([&] {
    return peers.metric(R"(aiserve_http_refused_total{cause="peer_limit",server="http"})") == "1";
  }));
  CHECK(again.wait_for_end());
}

TEST_CASE("a request's peer stays known when its client has gone") {
  std::string seen;
  Simulation s;
  s.server.get("/slow", [&](const Context&, const Request& request) -> Async<Response> {
    const Context own = Context::background();
    (void)co_await sleep(own, 10s);
    seen = std::string(request.peer()) + "|" + std::string(request.client());
    co_return text("late");
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  client.kill();
  REQUIRE(s.run_until([&] { return s.server.connections() == 0; }));
  s.sim.advance(11s);
  CHECK(seen == "127.0.0.1|127.0.0.1");
}

TEST_CASE("proxies that make no sense are refused") {
  testing::SimRuntime sim;
  const auto refused = [&](ServerOptions options) -> std::string {
    try {
      const Server server(sim.runtime(), Simulation::loopback(std::move(options)));
      return "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  };
  CHECK(refused({.trusted_proxies = {"10.0.0.0/33"}}).find("trusted_proxies: \"10.0.0.0/33\"") !=
        std::string::npos);
  CHECK(refused({.trusted_proxies = {"proxy.example"}}).find("trusted_proxies") !=
        std::string::npos);
  CHECK(refused({.proxy_protocol = true}) == "http: proxy_protocol needs trusted_proxies");
}

}  // namespace
}  // namespace aiserve::http
