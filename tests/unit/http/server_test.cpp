// The server on simulated time: real sockets, but nothing moves unless the test moves it.
#include "aiserve/http/server.hpp"

#include <doctest/doctest.h>

#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a handler that takes too long is answered for at its deadline") {
  Simulation s;
  CancelReason reason = CancelReason::none;
  bool ended = false;
  s.server.get("/obeys", [&](const Context& ctx, const Request&) -> Async<Response> {
    const Result<void> slept = co_await sleep(ctx, 1h);
    reason = ctx.reason();
    co_return slept.error();
  });
  s.server.get("/ignores",
               [&](const Context&, const Request&) -> Async<Response> {
                 const Context own = Context::background();
                 (void)co_await sleep(own, 1h);
                 ended = true;
                 co_return text("too late");
               },
               {.timeout = 5s});
  s.sim.start();
  RawClient obeys(s.server.port());
  RawClient ignores(s.server.port());
  obeys.send("GET /obeys HTTP/1.1\r\nHost: a\r\n\r\n");
  ignores.send("GET /ignores HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 2; }));
  s.sim.advance(6s);
  CHECK(ignores.reply().status == 504);
  CHECK(ignores.wait_for_end());
  CHECK(s.server.in_flight() == 2);
  s.sim.advance(25s);
  CHECK(obeys.reply().status == 504);
  CHECK(s.server.in_flight() == 1);
  s.sim.advance(1h);
  CHECK(ended);
  CHECK(s.server.in_flight() == 0);
}

TEST_CASE("silent, slow and idle peers are let go in their time") {
  Simulation s;
  s.server.post("/", [](const Context&, const Request&) { return text("x"); });
  s.sim.start();
  RawClient silent(s.server.port());
  RawClient slow_head(s.server.port());
  RawClient slow_body(s.server.port());
  RawClient idle(s.server.port());
  slow_head.send("GET / HTTP/1.1\r\n");
  slow_body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
  idle.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  REQUIRE(s.run_until([&] { return s.server.connections() == 4; }));
  CHECK(idle.reply().status == 200);
  s.sim.advance(11s);
  CHECK(silent.wait_for_end());
  CHECK(slow_head.reply().status == 408);
  s.sim.advance(50s);
  CHECK(slow_body.reply().status == 408);
  s.sim.advance(15s);
  CHECK(idle.wait_for_end());
  s.sim.advance(3s);
  CHECK(s.server.connections() == 0);
}

TEST_CASE(
    "a route announces a request while its body is read, and no longer than its handler runs") {
  struct Counter final : Announcement::Listener {
    void retract() noexcept override { ++retracted; }
    int announced = 0;
    int retracted = 0;
  };
  Simulation s;
  Counter counter;
  int open_in_handler = -1;
  s.server.post("/",
                [&](const Context&, const Request&) {
                  open_in_handler = counter.announced - counter.retracted;
                  return text("x");
                },
                {.announce = [&] {
                  ++counter.announced;
                  return Announcement(counter);
                }});
  s.sim.start();
  RawClient client(s.server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  REQUIRE(s.run_until([&] { return counter.announced == 1; }));
  CHECK(counter.retracted == 0);
  client.send("cd");
  REQUIRE(s.run_until([&] { return counter.retracted == 1; }));
  CHECK(open_in_handler == 1);
  CHECK(client.reply().status == 200);

  RawClient gone(s.server.port());
  gone.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  REQUIRE(s.run_until([&] { return counter.announced == 2; }));
  gone.kill();
  REQUIRE(s.run_until([&] { return counter.retracted == 2; }));
}

TEST_CASE("a quiet event stream sends heartbeats") {
  Simulation s;
  s.server.events("/events", [](const Context& ctx, const Request&, EventStream) -> Async<void> {
    (void)co_await sleep(ctx, 1h);
    co_return success();
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.sim.advance(16s);
  CHECK(client.wait_for("3\r\n:\n\n\r\n"));
  s.sim.advance(1h);
  CHECK(client.wait_for("0\r\n\r\n"));
}

TEST_CASE("a reader that takes nothing loses its connection, not the server's memory") {
  Simulation s;
  s.server.get("/big",
               [](const Context&, const Request&) { return text(std::string(8'000'000, 'b')); });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.run_until([&] { return s.server.connections() == 1; }));
  s.sim.run_until_idle();
  s.sim.advance(31s);
  CHECK(s.server.connections() == 0);
}

}  // namespace
}  // namespace aiserve::http
