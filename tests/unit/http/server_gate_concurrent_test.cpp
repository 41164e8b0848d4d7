// A server behind a network that misbehaves: every test ends with a normal request that is served.
#include <doctest/doctest.h>

#include "aiserve/core/async.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "aiserve/testing/tcp_gate.hpp"
#include "support/descriptors.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using testing::GateCounters;
using testing::GateMode;
using testing::TcpGate;

struct GatedHost {
  GatedHost() {
    server
        .post("/echo",
              [](const Context&, const Request& request) { return bytes(request.body_bytes()); })
        .get("/big", [](const Context&, const Request&) { return text(std::string(300'000, 'b')); })
        .get("/waits", [this](const Context& ctx, const Request&) -> Async<Response> {
          ++waiting;
          waiting.notify_all();
          const Result<void> slept = co_await sleep(ctx, 1h);
          if (!slept.ok()) reason = ctx.reason();
          co_return text("late");
        });
    runtime.start();
  }

  // The network is well again: so is the service, for new connections and in full.
  void check_service() {
    gate.both(GateMode::pass());
    RawClient client(gate.port());
    const Reply reply = client.ask(echo("well"));
    CHECK(reply.status == 200);
    CHECK(reply.body == "well");
    CHECK(client.get("/big").body.size() == 300'000);
  }
  static std::string echo(std::string_view body) {
    return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
  }

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Runtime runtime{{.telemetry = &telemetry}};
  Server server{runtime, {.address = "127.0.0.1", .port = 0}};
  TcpGate gate{server.port()};
  std::atomic<int> waiting{0};
  std::atomic<CancelReason> reason{CancelReason::none};
};

TEST_CASE("one-byte and odd slices change nothing") {
  GatedHost host;
  const std::string body(5'000, 's');
  for (const unsigned size : {1U, 3U}) {
    host.gate.both(GateMode::slice(size));
    RawClient client(host.gate.port());
    CHECK(client.ask(GatedHost::echo(body)).body == body);
    CHECK(client.ask(GatedHost::echo("")).status == 200);
  }
  host.check_service();
}

TEST_CASE("a slow line both ways delivers every byte") {
  GatedHost host;
  host.gate.both(GateMode::limit(2'000'000));
  RawClient client(host.gate.port());
  CHECK(client.get("/big").body.size() == 300'000);
  CHECK(client.ask(GatedHost::echo(std::string(100'000, 'u'))).body.size() == 100'000);
  host.check_service();
}

TEST_CASE("a connection that ends or is reset in the middle of requests and responses is let go") {
  GatedHost host;
  for (const GateMode& mode : {GateMode::close_on_data(), GateMode::reset_on_data()}) {
    host.gate.to_target(mode);
    RawClient in_request(host.gate.port());
    in_request.send(GatedHost::echo("never"));
    CHECK(in_request.wait_for_end());
    host.gate.to_target(GateMode::pass());

    host.gate.to_client(mode);
    RawClient in_response(host.gate.port());
    in_response.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(in_response.wait_for_end());
    host.check_service();
  }
}

TEST_CASE("a handler learns that the network has dropped its client") {
  GatedHost host;
  RawClient client(host.gate.port());
  client.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n");
  host.waiting.wait(0);
  host.gate.reset_all();
  host.check_service();
  host.runtime.shutdown();
  CHECK(host.reason == CancelReason::client_gone);
}

TEST_CASE("a black hole in either direction costs only the connections inside") {
  GatedHost host;
  host.gate.to_client(GateMode::drop());
  RawClient unheard(host.gate.port());
  unheard.send(GatedHost::echo("unheard"));
  REQUIRE(
      host.gate.wait_until([](const GateCounters& now) { return now.to_client.received >= 100; }));
  host.gate.both(GateMode::drop());
  RawClient swallowed(host.gate.port());
  swallowed.send(GatedHost::echo("swallowed"));
  REQUIRE(host.gate.wait_until([](const GateCounters& now) { return now.accepted == 2; }));
  CHECK(unheard.received().empty());
  host.check_service();
}

TEST_CASE("a head cut off by a delay waits without harm") {
  GatedHost host;
  RawClient client(host.gate.port());
  const std::string_view begin = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Le";
  client.send(begin);
  REQUIRE(host.gate.wait_until(
      [&](const GateCounters& now) { return now.to_target.forwarded == begin.size(); }));
  host.gate.to_target(GateMode::delay(1h));
  client.send("ngth: 2\r\n\r\nok");
  RawClient other(host.server.port());
  CHECK(other.ask(GatedHost::echo("fine")).body == "fine");
  host.gate.to_target(GateMode::pass());
  CHECK(client.reply().body == "ok");
  host.check_service();
}

TEST_CASE("corrupted requests are answered or refused, never taken for more than they are") {
  GatedHost host;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    host.gate.to_target(GateMode::corrupt(seed, 1 + seed % 64));
    RawClient client(host.gate.port());
    client.send(GatedHost::echo("twelve bytes"));
    client.stop_sending();
    CHECK(client.wait_for_end());
    const std::string& got = client.received();
    const std::size_t first = got.find("HTTP/1.1 ");
    CHECK((got.empty() || first == 0));
  }
  host.check_service();
}

TEST_CASE("after all of it no connection and no descriptor is left") {
  const std::size_t before = testing::open_descriptors();
  {
    GatedHost host;
    std::vector<RawClient> clients;
    for (const GateMode& mode : {GateMode::drop(), GateMode::delay(1h), GateMode::close_on_data(),
                                 GateMode::reset_on_data(), GateMode::slice(1),
                                 GateMode::corrupt(7, 4), GateMode::limit(1)}) {
      host.gate.both(mode);
      for (int i = 0; i < 4; ++i) {
        clients.emplace_back(host.gate.port());
        clients.back().send(GatedHost::echo(std::string(1'000, 'x')));
      }
      host.check_service();
    }
    clients.clear();
    CHECK(host.gate.wait_until([](const GateCounters& now) { return now.open == 0; }));
    host.runtime.shutdown();
    CHECK(host.server.connections() == 0);
  }
  CHECK(testing::open_descriptors() == before);
}

}  // namespace
}  // namespace aiserve::http
