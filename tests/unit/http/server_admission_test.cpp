// What a server does when there is more to do than there is room for.
#include <doctest/doctest.h>

#include "aiserve/core/async.hpp"
#include "aiserve/http/websocket.hpp"
#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"
#include "unit/http/websocket_client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGet = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";

Async<Response> slow(const Context& ctx, const Request&) {
  (void)co_await sleep(ctx, 10s);
  co_return text("done");
}

std::string refused(std::string_view cause) {
  return "aiserve_http_refused_total{cause=\"" + std::string(cause) + "\",server=\"http\"}";
}

Reply ask(Simulation& s, RawClient& client, std::string_view bytes) {
  client.send(bytes);
  (void)s.run_until([&] {
    pollfd wait{client.descriptor(), POLLIN, 0};
    return ::poll(&wait, 1, 0) == 1;
  });
  return client.reply();
}

TEST_CASE("beyond so many requests a server says that it has no room, and when to come again") {
  Simulation s({.max_requests = 2});
  s.server.get("/slow", slow).get("/plain", [](const Context&, const Request&) {
    return text("x");
  });
  s.sim.start();
  RawClient first(s.server.port());
  RawClient second(s.server.port());
  RawClient third(s.server.port());
  first.send(kGet);
  second.send(kGet);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 2; }));
  CHECK(s.metric(R"(aiserve_http_requests_in_flight{server="http"})") == "2");
  const Reply reply = ask(s, third, kGet);
  CHECK(reply.status == 503);
  CHECK(reply.head.find("Retry-After: 1\r\n") != std::string::npos);
  CHECK(reply.body.find("overloaded") != std::string::npos);
  CHECK(s.metric(refused("max_requests")) == "1");
  CHECK(ask(s, third, "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
  s.sim.advance(10s);
  CHECK(first.reply().status == 200);
  CHECK(second.reply().status == 200);
  CHECK(s.metric(R"(aiserve_http_requests_in_flight{server="http"})") == "0");
  third.send(kGet);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.sim.advance(10s);
  CHECK(third.reply().status == 200);
}

TEST_CASE("a place is free again when its client has gone and its handler has ended") {
  Simulation s({.max_requests = 1});
  s.server.get("/slow", slow);
  s.sim.start();
  RawClient gone(s.server.port());
  gone.send(kGet);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  gone.kill();
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 0; }));
  RawClient next(s.server.port());
  next.send(kGet);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.sim.advance(10s);
  CHECK(next.reply().status == 200);
}

TEST_CASE("a route may have fewer places than its server, and leaves the others theirs") {
  Simulation s;
  s.server.get("/slow", slow, {.max_concurrent = 1}).get("/other", slow);
  s.sim.start();
  RawClient first(s.server.port());
  RawClient second(s.server.port());
  first.send(kGet);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  CHECK(ask(s, second, kGet).status == 503);
  CHECK(s.metric(refused("max_concurrent")) == "1");
  second.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 2; }));
  s.sim.advance(10s);
  CHECK(first.reply().status == 200);
  CHECK(second.reply().status == 200);
}

TEST_CASE("one place serves many pipelined requests, one after another, and only one at a time") {
  Simulation s({.max_requests = 1});
  s.server.get("/slow", slow);
  s.server.get("/quick",
               [](const Context&, const Request&) -> Async<Response> { co_return text("quick"); });
  s.sim.start();
  RawClient client(s.server.port());
  const std::string quick = "GET /quick HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(quick + quick + quick + kGet + quick);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  for (int i = 0; i < 3; ++i) CHECK(client.reply().body == "quick");
  CHECK(s.metric(R"(aiserve_http_requests_in_flight{server="http"})") == "1");
  s.sim.advance(10s);
  CHECK(client.reply().body == "done");
  CHECK(client.reply().status == 503);
  CHECK(s.metric(R"(aiserve_http_requests_in_flight{server="http"})") == "0");
}

TEST_CASE("an open WebSocket takes no place") {
  Simulation s({.max_requests = 1});
  s.server.get("/slow", slow);
  s.server.websocket("/ws", [](const Context&, WebSocket& socket) -> Async<void> {
    const Result<Message> message = co_await socket.receive();
    co_return message.ok() ? success() : Result<void>(message.error());
  });
  s.sim.start();
  RawClient socket(s.server.port());
  CHECK(ask(s, socket, upgrade_request("/ws")).status == 101);
  CHECK(s.server.in_flight() == 1);
  RawClient client(s.server.port());
  client.send(kGet);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 2; }));
  s.sim.advance(10s);
  CHECK(client.reply().status == 200);
}

TEST_CASE("requests whose bodies come at the same time get no more places than there are") {
  Simulation s({.max_requests = 1});
  s.server.post("/slow", slow);
  s.sim.start();
  RawClient first(s.server.port());
  RawClient second(s.server.port());
  const std::string head = "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
  first.send(head);
  second.send(head);
  s.settle();
  first.send("body");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  CHECK(ask(s, second, "body").status == 503);
  s.sim.advance(10s);
  CHECK(first.reply().status == 200);
}

TEST_CASE("what would wait for longer than it may take is refused before its body is sent") {
  Simulation s;
  std::chrono::nanoseconds wait = 3s;
  s.server.post("/slow", slow, {.timeout = 20s, .estimate = [&] { return wait; }});
  s.sim.start();
  RawClient client(s.server.port());
  const std::string head = "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
  client.send(head + "body");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.sim.advance(10s);
  CHECK(client.reply().status == 200);
  wait = 20'500ms;
  const Reply reply = ask(s, client, head);
  CHECK(reply.status == 503);
  CHECK(reply.head.find("Retry-After: 21\r\n") != std::string::npos);
  CHECK(s.metric(refused("estimate")) == "1");
  wait = std::chrono::nanoseconds::max();
  RawClient other(s.server.port());
  CHECK(ask(s, other, head).status == 503);
}

TEST_CASE("without a deadline no wait is too long, and a broken estimate is a 500") {
  Simulation s;
  s.server
      .get("/slow", slow, {.timeout = 0ms, .estimate = [] { return std::chrono::nanoseconds(1h); }})
      .get("/broken", slow, {.estimate = []() -> std::chrono::nanoseconds {
             throw std::runtime_error("no estimate today");
           }});
  s.sim.start();
  RawClient client(s.server.port());
  client.send(kGet);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  RawClient other(s.server.port());
  CHECK(ask(s, other, "GET /broken HTTP/1.1\r\nHost: a\r\n\r\n").status == 500);
  CHECK(s.logged("no estimate today"));
  s.sim.advance(10s);
  CHECK(client.reply().status == 200);
}

TEST_CASE("routes count under their label") {
  Simulation s;
  s.server.get("/a", [](const Context&, const Request&) { return text("a"); }, {.label = "pages"})
      .get("/b", [](const Context&, const Request&) { return text("b"); }, {.label = "pages"});
  s.sim.start();
  RawClient client(s.server.port());
  CHECK(ask(s, client, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
  CHECK(ask(s, client, "GET /b HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
  CHECK(
      s.metric(
          R"(aiserve_http_requests_total{method="GET",route="pages",server="http",status="200"})") ==
      "2");
}

TEST_CASE("limits that make no sense are refused") {
  Simulation s;
  CHECK_THROWS_AS(s.server.get("/", slow, {.max_concurrent = 0}), ConfigError);
  testing::SimRuntime sim;
  CHECK_THROWS_AS(Server(sim.runtime(), Simulation::loopback({.max_requests = 0})), ConfigError);
  CHECK_THROWS_AS(Server(sim.runtime(), Simulation::loopback({.slow_request = -1ms})), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
