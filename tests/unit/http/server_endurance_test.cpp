// 10,000 requests at 64 connections with clients killed in between, three rounds.
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/async.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "support/memory.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

struct Tally {
  std::atomic<int> answered{0};
  std::atomic<int> killed{0};
  std::atomic<int> wrong{0};
};

std::string request_of(int kind, const std::string& body) {
  switch (kind) {
    case 0:
      return "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";
    case 1:
      return "GET /suspends HTTP/1.1\r\nHost: a\r\n\r\n";
    case 2:
      return "GET /pool HTTP/1.1\r\nHost: a\r\n\r\n";
    default:
      return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
             "\r\n\r\n" + body;
  }
}

void run_client(std::uint16_t port, int requests, unsigned seed, Tally& tally) {
  std::mt19937 random(seed);
  auto client = std::make_unique<RawClient>(port);
  for (int i = 0; i < requests; ++i) {
    const std::string body(random() % 20'000, 'x');
    const std::string request = request_of(static_cast<int>(random() % 4), body);
    if (random() % 10 == 0) {
      // A part of the request or all of it, then gone: by FIN or by reset.
      client->send(std::string_view(request).substr(0, 1 + random() % request.size()));
      random() % 2 == 0 ? client->kill() : client->close();
      client = std::make_unique<RawClient>(port);
      ++tally.killed;
    } else {
      client->ask(request).status == 200 ? ++tally.answered : ++tally.wrong;
    }
  }
}

TEST_CASE("10,000 requests with clients killed in between leave nothing behind, three times") {
  constexpr int kConnections = 64;
  constexpr int kRequests = 10'000;
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  Server server(runtime, {.address = "127.0.0.1", .port = 0});
  server.get("/plain", [](const Context&, const Request&) { return text("plain"); })
      .get("/suspends",
           [](const Context& ctx, const Request&) -> Async<Response> {
             (void)co_await sleep(ctx, 200us);
             co_return text("suspended");
           })
      .get("/pool",
           [&](const Context& ctx, const Request&) -> Async<Response> {
             const auto work = [] { return std::string(5'000, 'p'); };
             Result<std::string> made = co_await runtime.blocking(ctx, work);
             co_return text(std::move(made).value());
           })
      .post("/echo", [](const Context&, const Request& request) -> Async<Response> {
        co_return bytes(request.body_bytes());
      });
  runtime.start();
  std::vector<std::size_t> rss;
  for (unsigned round = 0; round < 3; ++round) {
    Tally tally;
    std::vector<std::thread> clients;
    for (unsigned i = 0; i < kConnections; ++i) {
      clients.emplace_back([&, i] {
        run_client(server.port(), kRequests / kConnections + 1, round * 1000 + i, tally);
      });
    }
    for (std::thread& client : clients) client.join();
    CHECK(tally.wrong == 0);
    CHECK(tally.answered + tally.killed >= kRequests);
    CHECK(tally.killed > 500);
    rss.push_back(testing::resident_kib());
  }
  if (testing::kMemoryTells) CHECK(rss[2] <= rss[0] + 8 * 1024);
  CHECK(RawClient(server.port()).get("/plain").status == 200);
  runtime.shutdown();
  CHECK(server.connections() == 0);
  CHECK(server.in_flight() == 0);
}

}  // namespace
}  // namespace aiserve::http
