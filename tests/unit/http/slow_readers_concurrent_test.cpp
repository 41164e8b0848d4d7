// 64 streams of 64 MiB to clients that do not read: memory stays within the buffers.
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "support/memory.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

TEST_CASE("64 MiB to each of 64 clients that do not read costs their buffers, no more") {
  constexpr std::size_t kClients = 64;
  constexpr std::size_t kBuffer = 256 * 1024;
  constexpr std::size_t kPiece = 32 * 1024;
  constexpr std::size_t kBody = 64 * 1024 * 1024;
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.telemetry = &telemetry});
  Server server(runtime, {.address = "127.0.0.1", .port = 0, .stream_buffer = kBuffer});
  std::atomic<std::size_t> written{0};
  server.get("/",
             [&](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
               for (std::size_t sent = 0; sent < kBody; sent += kPiece) {
                 const Bytes piece = Bytes::adopt(std::string(kPiece, 'x'));
                 const Result<void> taken = co_await stream.write(piece);
                 if (!taken.ok()) co_return taken;
                 written += kPiece;
               }
               co_return success();
             },
             {.timeout = 0ms});
  server.get("/probe", [](const Context&, const Request&) { return text("alive"); });
  runtime.start();
  CHECK(RawClient(server.port()).get("/probe").body == "alive");
  const std::size_t before = testing::heap_bytes();
  std::vector<RawClient> clients;
  clients.reserve(kClients);
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.emplace_back(server.port());
    clients.back().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  for (RawClient& client : clients) {
    CHECK(client.wait_for("\r\n\r\n"));
    std::string().swap(client.received());
  }
  // A probe is served by the same thread: when nothing was written between two, all writers wait.
  for (std::size_t last = 1; last != written;) {
    last = written;
    for (int i = 0; i < 10; ++i) CHECK(RawClient(server.port()).get("/probe").body == "alive");
  }
  CHECK(server.in_flight() == kClients);
  CHECK(written < kClients * kBody / 4);
  // The buffers, and of each handler the piece that waits for room.
  const double buffers = kClients * kBuffer;
  const auto grown = static_cast<double>(testing::heap_bytes() - before);
  MESSAGE("the heap grew by ", grown / buffers, " x the buffers");
  if (testing::kMemoryTells) CHECK(grown <= 1.2 * buffers);
  for (RawClient& client : clients) client.kill();
  runtime.shutdown();
  CHECK(server.in_flight() == 0);
  CHECK(server.connections() == 0);
}

}  // namespace
}  // namespace aiserve::http
