#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <sys/resource.h>

#include "aiserve/core/async.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/health.hpp"
#include "aiserve/http/metrics.hpp"
#include "aiserve/http/server.hpp"
#include "aiserve/http/status.hpp"
#include "unit/http/host.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

Async<Response> suspended_hello(Runtime& runtime, const Context& ctx) {
  const auto work = [] { return std::string("from the pool"); };
  Result<std::string> made = co_await runtime.blocking(ctx, work);
  co_return text(std::move(made).value());
}

TEST_CASE("plain, Result and coroutine handlers answer") {
  Host host;
  host.server
      .get("/hello/{name}",
           [](const Context&, const Request& request) {
             return text("Hello, " + std::string(request.param("name")) + "!");
           })
      .get("/result", [](const Context&, const Request&) -> Result<Response> { return text("ok"); })
      .get("/now", [](const Context&, const Request&) -> Async<Response> { co_return text("now"); })
      .get("/later",
           [&](const Context& ctx, const Request&) { return suspended_hello(host.runtime, ctx); })
      .post("/echo", [](const Context&, const Request& request) -> Async<Response> {
        co_return bytes(request.body_bytes());
      });
  host.runtime.start();
  RawClient client = host.client();
  for (int i = 0; i < 3; ++i) {
    CHECK(client.get("/hello/you").body == "Hello, you!");
    CHECK(client.get("/result").body == "ok");
    CHECK(client.get("/now").body == "now");
    CHECK(client.get("/later").body == "from the pool");
    const std::string body(100'000, 'x');
    CHECK(client.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body)
              .body == body);
  }
}

TEST_CASE("unknown paths, wrong methods and OPTIONS are answered by the server") {
  Host host;
  host.server.get("/x", [](const Context&, const Request&) { return text("x"); });
  host.server.post("/x", [](const Context&, const Request&) { return text("x"); });
  host.runtime.start();
  RawClient client = host.client();
  const Reply missing = client.get("/y");
  CHECK(missing.status == 404);
  CHECK(missing.head.find("application/problem+json") != std::string::npos);
  CHECK(missing.body.find(R"("type":"urn:aiserve:not-found")") != std::string::npos);
  CHECK(missing.body.find(R"("request_id":")") != std::string::npos);
  const Reply wrong = client.ask("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(wrong.status == 405);
  CHECK(wrong.head.find("Allow: GET, HEAD, POST, OPTIONS\r\n") != std::string::npos);
  const Reply options = client.ask("OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(options.status == 204);
  CHECK(options.head.find("Allow: GET, HEAD, POST, OPTIONS\r\n") != std::string::npos);
  CHECK(client.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status == 204);
  client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.reply(true).head.find("Content-Length: 1\r\n") != std::string::npos);
  CHECK(client.get("/x").body == "x");
}

TEST_CASE("what a handler throws reaches the log, not the client") {
  Host host;
  host.server.get("/plain", [](const Context&, const Request&) -> Response {
    throw std::runtime_error("secret one");
  });
  host.server.get("/async", [](const Context&, const Request&) -> Async<Response> {
    throw std::runtime_error("secret two");
    co_return text("");
  });
  host.server.get("/value", [](const Context&, const Request&) -> Response {
    return Result<Response>(Error(Errc::conflict, "already running")).value();
  });
  host.server.get("/split", [](const Context&, const Request& request) {
    return text("").header("X-Copy", *request.query("v"));
  });
  host.runtime.start();
  RawClient client = host.client();
  for (const char* path : {"/plain", "/async"}) {
    const Reply reply = client.get(path);
    CHECK(reply.status == 500);
    CHECK(reply.body.find("secret") == std::string::npos);
    CHECK(reply.body.find("request_id") != std::string::npos);
  }
  CHECK(host.lines.contain("secret one"));
  CHECK(host.lines.contain("secret two"));
  const Reply value = client.get("/value");
  CHECK(value.status == 409);
  CHECK(value.body.find("already running") != std::string::npos);
  const Reply split = client.get("/split?v=a%0d%0aSet-Cookie:%20x");
  CHECK(split.status == 500);
  CHECK(split.head.find("Set-Cookie") == std::string::npos);
  CHECK(client.get("/split?v=fine").head.find("X-Copy: fine\r\n") != std::string::npos);
}

TEST_CASE("hooks run before and after, and may answer themselves") {
  Host host;
  host.server.before([](Context& ctx, const Request& request) {
    if (request.has_header("X-Tenant")) {
      ctx = ctx.with_tenant(Tenant({.id = TenantId(request.header("X-Tenant"))}));
    }
  });
  host.server.before([](Context& ctx, const Request& request) -> Result<void> {
    const bool open = request.path() == "/open";
    if (!open && ctx.tenant().is_anonymous()) return Error(Errc::unauthenticated, "who are you?");
    return success();
  });
  host.server.after([](const Context&, const Request& request, Response& response) {
    response.header("X-Route", request.route());
  });
  host.server.get("/open", [](const Context&, const Request&) { return text("open"); });
  host.server.post("/v1/{name}", [](const Context& ctx, const Request&) {
    return text(ctx.tenant().id().value());
  });
  host.runtime.start();
  RawClient client = host.client();
  CHECK(client.get("/open").body == "open");
  // Refused before the body is read: small, so the connection goes on.
  const Reply refused =
      client.ask("POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
  CHECK(refused.status == 401);
  CHECK(refused.head.find("X-Route: /v1/{name}\r\n") != std::string::npos);
  CHECK(client.ask("POST /v1/a HTTP/1.1\r\nHost: a\r\nX-Tenant: acme\r\nContent-Length: 0\r\n\r\n")
            .body == "acme");
}

TEST_CASE("limits of a route and of the server are told apart") {
  Host host({.max_body = 100});
  const auto size = [](const Context&, const Request& request) {
    return text(std::to_string(request.body().size()));
  };
  host.server.post("/small", size).post("/large", size, {.max_body = 1000});
  host.runtime.start();
  const auto post = [&](const std::string& path, std::size_t bytes) {
    RawClient client = host.client();
    return client.ask("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                      std::to_string(bytes) + "\r\n\r\n" + std::string(bytes, 'x'));
  };
  CHECK(post("/small", 100).body == "100");
  CHECK(post("/small", 101).status == 413);
  CHECK(post("/large", 1000).body == "1000");
  CHECK(post("/large", 1001).status == 413);
  RawClient client = host.client();
  CHECK(client.ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x')).status == 431);
  CHECK(client.wait_for_end());
}

TEST_CASE("a port in use, a bad address and a bad option are configuration errors") {
  Host host;
  try {
    Server second(host.runtime, {.address = "127.0.0.1", .port = host.server.port()});
    FAIL("the port was given out twice");
  } catch (const ConfigError& error) {
    CHECK(std::string(error.what()) ==
          "http: port " + std::to_string(host.server.port()) + " on 127.0.0.1 is in use");
  }
  CHECK_THROWS_AS(Server(host.runtime, {.address = "localhost"}), ConfigError);
  CHECK_THROWS_AS(Server(host.runtime, {.port = 0, .max_head = 10}), ConfigError);
  CHECK_THROWS_AS(Server(host.runtime, {.port = 0, .idle_timeout = 0ms}), ConfigError);
}

TEST_CASE("a port that several threads share is found in use by a second server") {
  Host shared({}, 3);
  CHECK_THROWS_AS(Server(shared.runtime, {.address = "127.0.0.1", .port = shared.server.port()}),
                  ConfigError);
  shared.server.get("/", [](const Context&, const Request&) { return text("x"); });
  shared.runtime.start();
  for (int i = 0; i < 20; ++i) CHECK(shared.client().get("/").body == "x");
}

TEST_CASE("routes are wired before start") {
  Host host;
  host.runtime.start();
  CHECK_THROWS_AS(host.server.get("/", [](const Context&, const Request&) { return text(""); }),
                  ConfigError);
}

TEST_CASE("a client that goes cancels the Context of its request") {
  Host host;
  std::latch started(3);
  std::latch ended(3);
  std::atomic<int> gone{0};
  host.server.get("/wait",
                  [&](const Context& ctx, const Request&) -> Async<Response> {
                    started.count_down();
                    const Result<void> slept = co_await sleep(ctx, 1h);
                    if (!slept.ok() && ctx.reason() == CancelReason::client_gone) ++gone;
                    ended.count_down();
                    co_return text("never seen");
                  },
                  {.timeout = 0ms});
  host.runtime.start();
  RawClient closes = host.client();
  RawClient resets = host.client();
  RawClient pipelines = host.client();
  for (RawClient* client : {&closes, &resets, &pipelines}) {
    client->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  started.wait();
  while (host.server.in_flight() != 3) std::this_thread::yield();  // suspended a moment later
  closes.close();
  resets.kill();
  pipelines.send("GET /");
  pipelines.close();
  ended.wait();
  CHECK(gone == 3);
}

TEST_CASE("an event stream carries events and ends its coroutine when the client goes") {
  Host host;
  std::latch ended(1);
  std::atomic<bool> client_gone{false};
  host.server.events(
      "/events/{n:int}",
      [&](const Context& ctx, const Request& request, EventStream stream) -> Async<void> {
        const std::int64_t n = request.int_param("n");
        for (std::int64_t i = 0; i < n; ++i) {
          const std::string number = std::to_string(i);
          (void)stream.send({.event = "tick", .data = number});
          (void)co_await sleep(ctx, 1ms);
        }
        if (n > 0) co_return success();
        (void)stream.send({.data = "waiting"});
        (void)co_await sleep(ctx, 1h);
        client_gone = ctx.reason() == CancelReason::client_gone && !stream.open();
        ended.count_down();
        co_return success();
      });
  host.runtime.start();
  RawClient counts = host.client();
  counts.send("GET /events/3 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(counts.wait_for("\r\n0\r\n\r\n"));
  CHECK(counts.received().find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(counts.received().find("event: tick\ndata: 2\n\n") != std::string::npos);
  RawClient leaves = host.client();
  leaves.send("GET /events/0 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(leaves.wait_for("data: waiting\n\n"));
  leaves.close();
  ended.wait();
  CHECK(client_gone);
  RawClient head = host.client();
  head.send("HEAD /events/0 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(head.reply(true).status == 200);
}

TEST_CASE("an event stream may be fed from any thread") {
  Host host;
  std::mutex mutex;
  std::vector<EventStream> streams;
  std::latch joined(2);
  host.server.events("/all",
                     [&](const Context& ctx, const Request&, EventStream stream) -> Async<void> {
                       {
                         const std::scoped_lock lock(mutex);
                         streams.push_back(stream);
                       }
                       joined.count_down();
                       (void)co_await sleep(ctx, 1h);
                       co_return success();
                     });
  host.runtime.start();
  RawClient one = host.client();
  RawClient two = host.client();
  one.send("GET /all HTTP/1.1\r\nHost: a\r\n\r\n");
  two.send("GET /all HTTP/1.1\r\nHost: a\r\n\r\n");
  joined.wait();
  std::vector<std::thread> senders;
  for (int t = 0; t < 2; ++t) {
    senders.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        const std::scoped_lock lock(mutex);
        for (const EventStream& stream : streams) (void)stream.send({.data = "x"});
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  for (const EventStream& stream : streams) (void)stream.send({.data = "last"});
  CHECK(one.wait_for("data: last\n\n"));
  CHECK(two.wait_for("data: last\n\n"));
}

TEST_CASE("a drain answers what is in flight, ends streams and takes no new connection") {
  Host host;
  std::latch started(2);
  std::latch release(1);
  host.server.get("/slow", [&](const Context& ctx, const Request&) -> Async<Response> {
    const auto wait = [&] {
      started.count_down();
      release.wait();
      return 0;
    };
    (void)co_await host.runtime.blocking(ctx, wait);
    co_return text("done");
  });
  std::atomic<CancelReason> stream_reason{CancelReason::none};
  host.server.events("/events",
                     [&](const Context& ctx, const Request&, EventStream) -> Async<void> {
                       started.count_down();
                       (void)co_await sleep(ctx, 1h);
                       stream_reason = ctx.reason();
                       co_return success();
                     });
  host.runtime.start();
  RawClient slow = host.client();
  RawClient idle = host.client();
  RawClient stream = host.client();
  CHECK(idle.get("/").status == 404);
  slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  stream.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  started.wait();
  std::thread shutdown([&] { host.runtime.shutdown(); });
  CHECK(idle.wait_for_end());
  CHECK(stream.wait_for("\r\n0\r\n\r\n"));
  CHECK_FALSE(host.client().connected());
  release.count_down();
  const Reply reply = slow.reply();
  CHECK(reply.body == "done");
  CHECK(reply.head.find("Connection: close\r\n") != std::string::npos);
  CHECK(slow.wait_for_end());
  shutdown.join();
  CHECK(stream_reason == CancelReason::shutdown);
}

TEST_CASE("a request that was sent before its connection hears of the shutdown is answered") {
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  boost::asio::io_context loop;  // turned by this thread: nothing is read before the shutdown
  Runtime runtime(loop, {.telemetry = &telemetry});
  Server server(runtime, {.address = "127.0.0.1", .port = 0});
  const auto answer = [](const Context&, const Request&) -> Async<Response> {
    co_return text("answered");
  };
  server.get("/", answer);
  runtime.start();
  RawClient client(server.port());
  while (server.connections() == 0) loop.poll();
  REQUIRE(client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  runtime.shutdown();
  CHECK(client.reply().body == "answered");
}

TEST_CASE("a runtime that shuts down cancels handlers when its patience ends") {
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.drain_timeout = 20ms, .telemetry = &telemetry});
  Server server(runtime, {.address = "127.0.0.1", .port = 0});
  std::latch started(1);
  std::atomic<CancelReason> reason{CancelReason::none};
  server.get("/forever",
             [&](const Context& ctx, const Request&) -> Async<Response> {
               started.count_down();
               const Result<void> slept = co_await sleep(ctx, 1h);
               reason = ctx.reason();
               co_return slept.error();
             },
             {.timeout = 0ms});
  runtime.start();
  RawClient client(server.port());
  client.send("GET /forever HTTP/1.1\r\nHost: a\r\n\r\n");
  started.wait();
  runtime.shutdown();
  CHECK(reason == CancelReason::shutdown);
  CHECK(client.reply().status == 503);
}

TEST_CASE("a server destroyed before its runtime shuts it down first") {
  Runtime runtime;
  {
    Server server(runtime, {.address = "127.0.0.1", .port = 0});
    server.get("/", [](const Context&, const Request&) { return text("x"); });
    runtime.start();
    CHECK(RawClient(server.port()).get("/").body == "x");
  }
  CHECK_FALSE(runtime.readiness().ready);
}

TEST_CASE("a server that was never started goes quietly") {
  Runtime runtime;
  Server server(runtime, {.address = "127.0.0.1", .port = 0});
  CHECK(server.port() != 0);
}

TEST_CASE("health, metrics and status tell what is going on") {
  Host host;
  std::latch started(1);
  std::latch release(1);
  host.server.get("/slow/{id}", [&](const Context& ctx, const Request&) -> Async<Response> {
    const auto wait = [&] {
      started.count_down();
      release.wait();
      return 0;
    };
    (void)co_await host.runtime.blocking(ctx, wait);
    co_return text("done");
  });
  Server admin(host.runtime, {.address = "127.0.0.1", .port = 0, .name = "admin"});
  admin.get("/live", live()).get("/ready", ready(host.runtime));
  admin.get("/metrics", metrics(host.telemetry)).get("/status", status(host.runtime));
  std::atomic<bool> loaded{false};
  auto model = host.runtime.attach(
      {.name = "model", .not_ready = [&] { return std::string(loaded ? "" : "loading"); }});
  host.runtime.start();
  RawClient client(admin.port());
  CHECK(client.get("/live").status == 200);
  const Reply unready = client.get("/ready");
  CHECK(unready.status == 503);
  CHECK(unready.body == R"({"status":"not ready","reasons":["model: loading"]})");
  loaded = true;
  CHECK(client.get("/ready").status == 200);
  RawClient slow = host.client();
  slow.send("GET /slow/7 HTTP/1.1\r\nHost: a\r\n\r\n");
  started.wait();
  const std::string told = client.get("/status").body;
  CHECK(told.find(R"("route":"GET /slow/{id}")") != std::string::npos);
  CHECK(told.find(R"("suspended":1)") != std::string::npos);
  release.count_down();
  CHECK(slow.reply().body == "done");
  const std::string counted = client.get("/metrics").body;
  CHECK(
      counted.find(
          R"(aiserve_http_requests_total{method="GET",route="/slow/{id}",server="http",status="200"} 1)") !=
      std::string::npos);
}

TEST_CASE("connections beyond the limit wait and are served when there is room") {
  Host host({.max_connections = 2});
  host.server.get("/", [](const Context&, const Request&) { return text("x"); });
  host.runtime.start();
  auto first = std::make_unique<RawClient>(host.client());
  RawClient second = host.client();
  CHECK(first->get("/").status == 200);
  CHECK(second.get("/").status == 200);
  RawClient third = host.client();
  third.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(second.get("/").status == 200);
  CHECK(host.server.connections() == 2);
  first.reset();
  CHECK(third.reply().status == 200);
}

TEST_CASE("a server without free descriptors keeps serving and accepts when there are some") {
  Host host;
  host.server.get("/", [](const Context&, const Request&) { return text("x"); });
  host.runtime.start();
  RawClient open = host.client();
  CHECK(open.get("/").status == 200);
  RawClient late;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{4, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  late.connect(host.server.port());
  while (!host.lines.contain("http: cannot accept")) std::this_thread::yield();
  CHECK(open.get("/").status == 200);
  CHECK(host.server.connections() == 1);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(late.get("/").status == 200);
}

}  // namespace
}  // namespace aiserve::http
