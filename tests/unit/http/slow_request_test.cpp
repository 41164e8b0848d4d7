// The line that says where the time of a slow request went.
#include <doctest/doctest.h>

#include "aiserve/core/async.hpp"
#include "aiserve/http/event_stream.hpp"
#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

// The line, with its fields in order, from "msg" on.
std::string slow_line(const Simulation& s) {
  const std::size_t at = s.log.find("\"msg\":\"http: a slow request\"");
  return at == std::string::npos ? "" : s.log.substr(at, s.log.find('\n', at) - at);
}
bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a slow request is told with the time it took to be read, handled and written") {
  Simulation s;
  s.server.post("/slow/{id}", [](const Context& ctx, const Request&) -> Async<Response> {
    (void)co_await sleep(ctx, 3s);
    co_return text("done");
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("POST /slow/7 HTTP/1.1\r\n");
  s.settle();
  s.sim.advance(1s);
  client.send("Host: a\r\nContent-Length: 4\r\n\r\nbo");
  s.settle();
  s.sim.advance(1s);
  client.send("dy");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.sim.advance(3s);
  CHECK(client.reply().status == 200);
  const std::string line = slow_line(s);
  CAPTURE(line);
  CHECK(has(line, R"("route":"/slow/{id}")"));
  CHECK(has(line, R"("method":"POST")"));
  CHECK(has(line, R"("status":200)"));
  CHECK(has(line, R"("read_ms":2000)"));
  CHECK(has(line, R"("handle_ms":3000)"));
  CHECK(has(line, R"("write_ms":0)"));
  CHECK(has(line, R"("sent":true)"));
  CHECK(has(line, R"("request_id")"));
}

TEST_CASE("a slow request in a pipeline is told, also when a quick one leaves with it") {
  Simulation s;
  s.server
      .get("/slow",
           [](const Context& ctx, const Request&) -> Async<Response> {
             (void)co_await sleep(ctx, 6s);
             co_return text("slow");
           })
      .get("/quick", [](const Context&, const Request&) { return text("quick"); });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.sim.advance(5s);
  client.send("GET /quick HTTP/1.1\r\nHost: a\r\n\r\n");
  s.settle();
  s.sim.advance(1s);
  CHECK(client.reply().body == "slow");
  CHECK(client.reply().body == "quick");
  CHECK(has(slow_line(s), R"("route":"/slow")"));
  CHECK(has(slow_line(s), R"("handle_ms":6000)"));
}

TEST_CASE("a quick request is not told, nor a slow one if nobody wants to know") {
  Simulation quick;
  Simulation silent({.slow_request = 0ms});
  for (Simulation* s : {&quick, &silent}) {
    s->server.get("/", [](const Context& ctx, const Request& request) -> Async<Response> {
      (void)co_await sleep(ctx, request.has_header("Slow") ? 20s : 4s);
      co_return text("done");
    });
    s->sim.start();
    RawClient client(s->server.port());
    client.send(s == &quick ? "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                            : "GET / HTTP/1.1\r\nHost: a\r\nSlow: 1\r\n\r\n");
    REQUIRE(s->run_until([&] { return s->server.in_flight() == 1; }));
    s->sim.advance(25s);
    CHECK(client.reply().status == 200);
    CHECK(slow_line(*s) == "");
  }
}

TEST_CASE("a peer that takes its response slowly is told, also if it is let go") {
  Simulation s;
  s.server.get("/large",
               [](const Context&, const Request&) { return text(std::string(64'000'000, 'x')); });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  s.settle();
  s.sim.advance(40s);
  REQUIRE(s.run_until([&] { return s.server.connections() == 0; }));
  const std::string line = slow_line(s);
  CAPTURE(line);
  CHECK(has(line, R"("handle_ms":0)"));
  CHECK(has(line, R"("sent":false)"));
  CHECK_FALSE(has(line, R"("write_ms":0)"));
}

TEST_CASE("a stream may take its time once it has begun") {
  Simulation s;
  s.server.events("/events",
                  [](const Context& ctx, const Request&, EventStream stream) -> Async<void> {
                    (void)co_await sleep(ctx, 60s);
                    (void)stream;
                    co_return success();
                  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.sim.advance(61s);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 0; }));
  CHECK(slow_line(s) == "");
}

TEST_CASE("a request that is slow to come is told with the error it got") {
  Simulation s;
  s.server.post("/", [](const Context&, const Request&) { return text("x"); });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
  s.settle();
  s.sim.advance(61s);
  CHECK(client.reply().status == 408);
  const std::string line = slow_line(s);
  CAPTURE(line);
  CHECK(has(line, R"("status":408)"));
  CHECK(has(line, R"("handle_ms":0)"));
}

}  // namespace
}  // namespace aiserve::http
