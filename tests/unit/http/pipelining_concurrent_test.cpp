// 100 pipelined requests at slow handlers, and clients that go in the middle of them.
#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/async.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

constexpr int kPipelined = 100;

std::string pipeline() {
  std::string requests;
  for (int i = 0; i < kPipelined; ++i) {
    requests += "GET /slow/" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  return requests;
}

struct Slow {
  Slow() {
    server.get("/slow/{n:int}",
               [this](const Context& ctx, const Request& request) -> Async<Response> {
                 ++begun;
                 const std::int64_t n = request.int_param("n");
                 // The later ones are done first: the order of the answers is the server's doing.
                 const Duration delay = std::chrono::microseconds(100 * (16 - n % 16));
                 const Result<void> slept = co_await sleep(ctx, delay);
                 if (!slept.ok() && ctx.reason() == CancelReason::client_gone) ++gone;
                 ++ended;
                 co_return text(std::to_string(n));
               });
    runtime.start();
  }
  RawClient client() { return RawClient(server.port()); }

  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  std::atomic<int> gone{0};
  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Runtime runtime{{.io_threads = 2, .telemetry = &telemetry}};
  Server server{runtime, {.address = "127.0.0.1", .port = 0}};
};

TEST_CASE("100 pipelined requests at slow handlers are answered in their order") {
  Slow slow;
  RawClient client = slow.client();
  client.send(pipeline());
  for (int i = 0; i < kPipelined; ++i) {
    const Reply reply = client.reply();
    REQUIRE(reply.status == 200);
    CHECK(reply.body == std::to_string(i));
  }
  CHECK(slow.ended == kPipelined);
}

TEST_CASE("clients that go in the middle of 100 pipelined requests leave nothing behind") {
  Slow slow;
  std::vector<std::thread> clients;
  for (int c = 0; c < 16; ++c) {
    clients.emplace_back([&slow, c] {
      for (int round = 0; round < 5; ++round) {
        RawClient client = slow.client();
        client.send(pipeline());
        for (int i = 0; i < (c * 7 + round * 13) % 60; ++i) {
          if (client.reply().body != std::to_string(i)) return;
        }
        (c + round) % 2 == 0 ? client.kill() : client.close();
      }
    });
  }
  for (std::thread& thread : clients) thread.join();
  RawClient after = slow.client();
  CHECK(after.get("/slow/3").body == "3");
  after.close();
  slow.runtime.shutdown();
  CHECK(slow.begun == slow.ended);
  CHECK(slow.gone > 0);
  CHECK(slow.server.in_flight() == 0);
  CHECK(slow.server.connections() == 0);
}

}  // namespace
}  // namespace aiserve::http
