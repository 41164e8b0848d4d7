// WebSockets of the TestClient.
#include <string>

#include <doctest/doctest.h>

#include "aiserve/http/websocket.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

struct Service : InProcess {
  Service() {
    server.before([](const Context& ctx, const Request& request) -> std::optional<Response> {
      if (request.path() != "/closed") return std::nullopt;
      return problem(ctx, Error(Errc::permission_denied, "not here"));
    });
    server.websocket("/echo", [](const Context&, WebSocket& socket) -> Async<void> {
      while (Result<Message> message = co_await socket.receive()) {
        if (!socket.send(*message)) break;
      }
      co_return success();
    });
    server.websocket("/closed",
                     [](const Context&, WebSocket&) -> Async<void> { co_return success(); });
    server.websocket("/clock", [this](const Context& ctx, WebSocket& socket) -> Async<void> {
      for (int n = 0; n < 2; ++n) {
        const std::string data = std::to_string(n);
        if (!socket.send(Message::text(data))) break;
        if (!co_await sleep(ctx, 10s)) break;
      }
      reason = ctx.reason();
      co_return success();
    });
    sim.start();
  }
  CancelReason reason = CancelReason::none;
};

TEST_CASE("messages of either type and any size come back") {
  Service service;
  auto socket = service.client.websocket("/echo");
  REQUIRE(socket.status() == 101);
  CHECK_FALSE(socket.receive());
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{125}, std::size_t{126},
                                 std::size_t{65'535}, std::size_t{65'536}, std::size_t{300'000}}) {
    const std::string text(size, 't');
    socket.send(text);
    const auto back = socket.receive();
    REQUIRE(back);
    CHECK(back->data == text);
    CHECK_FALSE(back->binary);
  }
  socket.send_binary(std::string("\0\xff", 2));
  const auto binary = socket.receive();
  REQUIRE(binary);
  CHECK(binary->binary);
  CHECK(binary->data == std::string("\0\xff", 2));
}

TEST_CASE("several messages are received in order") {
  Service service;
  auto socket = service.client.websocket("/echo");
  socket.send("a");
  socket.send("b");
  CHECK(socket.receive()->data == "a");
  CHECK(socket.receive()->data == "b");
  CHECK_FALSE(socket.receive());
}

TEST_CASE("a socket that is refused has the answer") {
  Service service;
  const auto socket = service.client.websocket("/closed");
  CHECK(socket.status() == 403);
  CHECK(socket.handshake().body.find("not here") != std::string::npos);
  CHECK(service.client.websocket("/nowhere").status() == 404);
}

TEST_CASE("time goes on only when the test says so") {
  Service service;
  auto socket = service.client.websocket("/clock");
  CHECK(socket.receive()->data == "0");
  CHECK_FALSE(socket.receive());
  service.sim.advance(10s);
  CHECK(socket.receive()->data == "1");
  CHECK(socket.close_code() == 0);
  service.sim.advance(10s);
  CHECK(socket.close_code() == 1000);
}

TEST_CASE("a socket that is looked at answers the server's pings, one that is not dies of them") {
  Service service;
  auto lively = service.client.websocket("/echo");
  auto silent = service.client.websocket("/echo");
  for (int i = 0; i < 12; ++i) {
    service.sim.advance(15s);
    CHECK_FALSE(lively.receive());
  }
  CHECK(lively.close_code() == 0);
  CHECK(silent.close_code() != 0);
}

TEST_CASE("a ping has its pong, a close its close") {
  Service service;
  auto socket = service.client.websocket("/echo");
  socket.ping("are you there");
  CHECK(socket.pongs() == 1);
  socket.close(1001);
  CHECK(socket.close_code() == 1001);
}

TEST_CASE("frames that no client should send end the socket with their code") {
  Service service;
  auto unmasked = service.client.websocket("/echo");
  unmasked.raw("\x81\x01x");
  CHECK(unmasked.close_code() == 1002);
  auto no_utf8 = service.client.websocket("/echo");
  no_utf8.send("\xff");
  CHECK(no_utf8.close_code() == 1007);
}

TEST_CASE("a socket that is dropped is a client that has gone") {
  Service service;
  { const auto socket = service.client.websocket("/clock"); }
  CHECK(service.reason == CancelReason::client_gone);
  CHECK(service.server.connections() == 0);
}

}  // namespace
}  // namespace aiserve::http
