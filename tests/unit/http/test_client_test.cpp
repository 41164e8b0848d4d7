#include "aiserve/http_testing/test_client.hpp"

#include <string>

#include <doctest/doctest.h>

#include "aiserve/http/typed.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

struct Service : InProcess {
  Service() : InProcess({.request_timeout = std::chrono::hours(2)}) {
    server.get("/hello/{name}", [](const Context&, const Request& request) {
      return text("Hello, " + std::string(request.param("name")) + "!\n");
    });
    server.post("/twice", typed([](const Context&, int n) { return 2 * n; }));
    server.get("/slow", [this](const Context& ctx, const Request&) -> Async<Response> {
      const Result<void> slept = co_await sleep(ctx, 1h);
      reason = ctx.reason();
      if (!slept) co_return slept.error();
      co_return text("late");
    });
    server.events("/ticks",
                  [](const Context& ctx, const Request&, EventStream stream) -> Async<void> {
                    for (int n = 0; n < 3; ++n) {
                      const std::string data = std::to_string(n);
                      (void)stream.send({.event = "tick", .data = data});
                      if (!co_await sleep(ctx, 1min)) break;
                    }
                    co_return success();
                  });
    server.post("/sum", [](const Context&, const Request&, BodyReader& body) -> Async<Response> {
      std::size_t size = 0;
      for (;;) {
        const Result<Bytes> part = co_await body.read();
        if (!part) co_return part.error();
        if (part->empty()) co_return text(std::to_string(size));
        size += part->size();
      }
    });
    server.get("/big",
               [](const Context&, const Request&) { return text(std::string(3 << 20, 'b')); });
    server.before([](Context&, const Request& request) -> Result<void> {
      if (request.header("X-Key") == "wrong") return Error(Errc::unauthenticated, "no");
      return success();
    });
    sim.start();
  }

  CancelReason reason = CancelReason::none;
};

TEST_CASE("a service answers in the process of its test, hooks and all") {
  Service service;
  const TestClient::Reply reply = service.client.get("/hello/Ada");
  CHECK(reply.status == 200);
  CHECK(reply.header("content-type") == "text/plain; charset=utf-8");
  CHECK(reply.body == "Hello, Ada!\n");
  CHECK(service.client.post("/twice", "21").body == "42");
  CHECK(service.client.post("/twice", "{}").status == 422);
  CHECK(service.client.get("/nobody").status == 404);
  CHECK(service.client.request("HEAD", "/hello/Ada").body.empty());
  CHECK(service.client.get("/big").body.size() == 3 << 20);
  CHECK(service.client.raw("GET / HTTP/1.1\r\n\r\n").reply().status == 400);
  CHECK(TestClient(service.sim, service.server).with("X-Key", "wrong").get("/slow").status == 401);
}

TEST_CASE("a handler that waits an hour is tested without waiting") {
  Service service;
  auto call = service.client.start("GET", "/slow");
  CHECK(call.reply().status == 0);
  service.sim.advance(59min);
  CHECK(call.reply().status == 0);
  service.sim.advance(1min);
  CHECK(call.reply().status == 200);
  CHECK(call.reply().body == "late");
}

TEST_CASE("a call that is dropped is a client that has gone") {
  Service service;
  { const auto call = service.client.start("GET", "/slow"); }
  CHECK(service.reason == CancelReason::client_gone);
  CHECK(service.server.connections() == 0);
}

TEST_CASE("events come one by one as time goes on, and then the stream ends") {
  Service service;
  auto stream = service.client.start("GET", "/ticks");
  CHECK(stream.reply().status == 200);
  const auto first = stream.next_event();
  REQUIRE(first);
  CHECK(first->type == "tick");
  CHECK(first->data == "0");
  CHECK_FALSE(stream.next_event());
  service.sim.advance(1min);
  REQUIRE(stream.next_event());
  service.sim.advance(1min);
  CHECK(stream.next_event()->data == "2");
  service.sim.advance(1min);
  CHECK_FALSE(stream.next_event());
}

TEST_CASE("a body may be sent bit by bit") {
  Service service;
  auto call = service.client.start_stream("POST", "/sum");
  call.send("abc");
  CHECK(call.reply().status == 0);
  call.send(std::string(100'000, 'x'));
  call.finish();
  CHECK(call.reply().body == "100003");
}

TEST_CASE("several calls are open side by side") {
  Service service;
  auto one = service.client.start("GET", "/slow");
  auto two = service.client.start("GET", "/slow");
  CHECK(service.server.in_flight() == 2);
  CHECK(service.client.get("/hello/x").status == 200);
  service.sim.advance(1h);
  CHECK(one.reply().status == 200);
  CHECK(two.reply().status == 200);
}

}  // namespace
}  // namespace aiserve::http
