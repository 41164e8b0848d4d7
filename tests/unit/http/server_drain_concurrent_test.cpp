// SIGTERM under mixed load: what is in flight is answered, run() returns 0.
#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include "aiserve/core/async.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/event_stream.hpp"
#include "aiserve/http/server.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

struct Service {
  Service() {
    server.get("/plain", [](const Context&, const Request&) { return text("plain"); })
        .get("/held",
             [this](const Context& ctx, const Request&) -> Async<Response> {
               ++held;
               while (!released && !ctx.cancelled()) (void)co_await sleep(ctx, 1ms);
               co_return text("held");
             })
        .post("/upload", [](const Context&, const Request& request) -> Async<Response> {
          co_return text(std::to_string(request.body().size()));
        });
    server.events("/events",
                  [this](const Context& ctx, const Request&, EventStream stream) -> Async<void> {
                    (void)stream.send({.data = "first"});
                    while (!ctx.cancelled()) (void)co_await sleep(ctx, 1h);
                    ended_with = ctx.reason();
                    co_return success();
                  });
  }

  std::atomic<bool> released{false};
  std::atomic<int> held{0};
  std::atomic<CancelReason> ended_with{CancelReason::none};
  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Runtime runtime{{.io_threads = 2, .telemetry = &telemetry}};
  Server server{runtime, {.address = "127.0.0.1", .port = 0}};
};

// Asks on one connection after another until there is no server; what it gets is whole, or nothing.
void load(std::uint16_t port, std::atomic<int>& answered, std::atomic<int>& torn) {
  for (;;) {
    RawClient client(port);
    if (!client.connected()) return;
    for (;;) {
      const Reply reply = client.get("/plain");
      if (reply.status == 0) break;
      reply.body == "plain" ? ++answered : ++torn;
    }
    if (!client.received().empty()) ++torn;
  }
}

TEST_CASE("SIGTERM under mixed load: what is in flight is answered, streams end, run() returns 0") {
  Service service;
  int status = -1;
  std::thread main([&] { status = service.runtime.run(); });
  const std::uint16_t port = service.server.port();
  std::vector<RawClient> held;
  held.reserve(8);
  for (int i = 0; i < 8; ++i) {
    held.emplace_back(port);
    held.back().send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  while (service.held != 8) std::this_thread::yield();
  RawClient stream(port);
  stream.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(stream.wait_for("data: first"));
  RawClient upload(port);
  CHECK(upload.get("/plain").status == 200);
  upload.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nthe first bytes");
  RawClient idle(port);
  CHECK(idle.get("/plain").status == 200);
  std::atomic<int> answered{0};
  std::atomic<int> torn{0};
  std::vector<std::thread> loads;
  loads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    loads.emplace_back([&] { load(port, answered, torn); });
  }
  while (answered < 100) std::this_thread::yield();

  ::kill(::getpid(), SIGTERM);
  CHECK(idle.wait_for_end());
  for (std::thread& thread : loads) thread.join();
  CHECK(torn == 0);
  CHECK(stream.wait_for("0\r\n\r\n"));
  CHECK(stream.wait_for_end());
  CHECK(service.ended_with == CancelReason::shutdown);
  CHECK(upload.send(std::string(100'000 - 15, 'x')));
  // Its rest may have come before its connection was told to drain: then it ends without a word.
  CHECK(upload.reply().body == "100000");
  CHECK(upload.wait_for_end());
  service.released = true;
  for (RawClient& client : held) {
    const Reply reply = client.reply();
    CHECK(reply.body == "held");
    CHECK(reply.head.find("Connection: close") != std::string::npos);
    CHECK(client.wait_for_end());
  }
  main.join();
  CHECK(status == 0);
  CHECK(service.server.connections() == 0);
}

}  // namespace
}  // namespace aiserve::http
