// WebSockets over real sockets: handshake, hooks, both forms of handler, ends, broadcast.
#include <filesystem>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/events/memory_event_bus.hpp"
#include "aiserve/http/server.hpp"
#include "aiserve/http/websocket.hpp"
#include "http/websocket_deflate.hpp"
#include "unit/http/host.hpp"
#include "unit/http/websocket_client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using detail::client_close;
using detail::client_text;
using detail::Opcode;
using detail::ServerFrame;

struct SocketHost : Host {
  explicit SocketHost(int io_threads = 1) : Host({}, io_threads) {
    server.get("/plain", [](const Context&, const Request&) { return text("plain"); });
  }

  WebSocketClient connect(std::string_view path = "/ws", std::string_view fields = "",
                          std::string_view first = "") {
    return WebSocketClient(server.port(), path, fields, first);
  }
  // What every test ends with: a normal request is served.
  void check_service() { CHECK(client().get("/plain").body == "plain"); }
};

Async<void> echo(const Context&, WebSocket& socket) {
  while (Result<Message> message = co_await socket.receive()) {
    if (!socket.send(*message)) break;
  }
  co_return success();
}

void echo_back(WebSocket& socket, const MessageView& message) { (void)socket.send(message); }

TEST_CASE("a coroutine and a callback answer messages of every size") {
  SocketHost host;
  host.server.websocket("/coroutine", echo).websocket("/callback", echo_back);
  host.runtime.start();
  for (const char* path : {"/coroutine", "/callback"}) {
    WebSocketClient client = host.connect(path);
    REQUIRE(client.handshake.status == 101);
    CHECK(client.handshake.head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") !=
          std::string::npos);
    for (const std::size_t size : {0u, 5u, 125u, 126u, 65'535u, 65'536u, 1'000'000u}) {
      const std::string text(size, 'x');
      CHECK(client.say(text));
      CHECK(client.hear() == text);
    }
    std::string burst;
    for (int i = 0; i < 64; ++i) burst += client_text(std::to_string(i));
    CHECK(client.send(burst));
    for (int i = 0; i < 64; ++i) CHECK(client.hear() == std::to_string(i));
    CHECK(client.send(client_close(1000)));
    CHECK(client.hear_close() == 1000);
    CHECK(client.raw().wait_for_end());
  }
  host.check_service();
}

TEST_CASE("frames that come with the handshake are not lost") {
  SocketHost host;
  host.server.websocket("/ws", echo).websocket("/callback", echo_back);
  host.runtime.start();
  for (const char* path : {"/ws", "/callback"}) {
    WebSocketClient client = host.connect(path, "", client_text("early") + client_text("bird"));
    CHECK(client.handshake.status == 101);
    CHECK(client.hear() == "early");
    CHECK(client.hear() == "bird");
  }
}

TEST_CASE("the handler sees the request, and what was agreed on") {
  SocketHost host;
  host.server.websocket("/rooms/{room}",
                        [](const Context& ctx, WebSocket& socket) -> Async<void> {
                          co_return socket.send(std::string(socket.request().param("room")) + " " +
                                                std::string(socket.subprotocol()) + " " +
                                                std::string(ctx.tenant().id().view()));
                        },
                        {.subprotocols = {"v2", "v1"}});
  host.server.before([](Context& ctx, const Request&) {
    TenantSpec acme;
    acme.id = TenantId("acme");
    ctx = ctx.with_tenant(Tenant(acme));
  });
  host.runtime.start();
  WebSocketClient client = host.connect("/rooms/blue", "Sec-WebSocket-Protocol: v1, x\r\n");
  CHECK(client.handshake.head.find("Sec-WebSocket-Protocol: v1\r\n") != std::string::npos);
  CHECK(client.hear() == "blue v1 acme");
  CHECK(client.hear_close() == 1000);
}

TEST_CASE("hooks refuse before the 101, and the connection goes on as HTTP") {
  SocketHost host;
  std::atomic<int> opened{0};
  WebSocketOptions options;
  options.on_open = [&](WebSocket&) { ++opened; };
  host.server.websocket("/ws", echo, options);
  host.server.before([](Context&, const Request& request) -> Result<void> {
    if (request.path() != "/ws" || request.header("authorization") == "Bearer good") {
      return success();
    }
    return Error(Errc::unauthenticated, "no token");
  });
  host.runtime.start();
  RawClient client(host.server.port());
  CHECK(client.ask(upgrade_request("/ws")).status == 401);
  CHECK(client.ask(upgrade_request("/ws", "Authorization: Bearer bad\r\n")).status == 401);
  CHECK(client.get("/plain").body == "plain");
  CHECK(opened == 0);
  client.send(upgrade_request("/ws", "Authorization: Bearer good\r\n"));
  CHECK(client.reply(true).status == 101);
  CHECK(opened == 1);
}

TEST_CASE("handshakes that are none are answered as HTTP") {
  SocketHost host;
  host.server.websocket("/ws", echo);
  host.runtime.start();
  RawClient client(host.server.port());
  const Reply plain = client.get("/ws");
  CHECK(plain.status == 426);
  CHECK(plain.head.find("Upgrade: websocket\r\n") != std::string::npos);
  std::string version8 = upgrade_request("/ws");
  version8.replace(version8.find("Version: 13"), 11, "Version: 8");
  const Reply wrong = client.ask(version8);
  CHECK(wrong.status == 426);
  CHECK(wrong.head.find("Sec-WebSocket-Version: 13\r\n") != std::string::npos);
  std::string short_key = upgrade_request("/ws");
  short_key.replace(short_key.find("dGhl"), 4, "");
  CHECK(client.ask(short_key).status == 400);
  CHECK(client.ask(upgrade_request("/ws", "Origin: http://evil.example\r\n")).status == 403);
  CHECK(client.ask(upgrade_request("/plain")).body == "plain");
  CHECK(client.ask(upgrade_request("/nowhere")).status == 404);
  client.send(upgrade_request("/ws", "Origin: http://a\r\n"));
  CHECK(client.reply(true).status == 101);
  host.check_service();
}

TEST_CASE("an error of the handler is 1011 to the client, its text is in the log only") {
  SocketHost host;
  host.server
      .websocket("/error",
                 [](const Context&, WebSocket&) -> Async<void> {
                   co_return Error(Errc::conflict, "secret one");
                 })
      .websocket("/throws",
                 [](const Context&, WebSocket&) -> Async<void> {
                   throw std::runtime_error("secret two");
                   co_return success();
                 })
      .websocket("/callback",
                 [](WebSocket&, const MessageView&) { throw std::runtime_error("secret three"); });
  host.runtime.start();
  for (const char* path : {"/error", "/throws", "/callback"}) {
    WebSocketClient client = host.connect(path);
    client.say("x");
    const auto frame = client.next();
    REQUIRE(frame);
    CHECK(frame->code() == 1011);
    CHECK(frame->payload.find("secret") == std::string::npos);
  }
  for (const char* secret : {"secret one", "secret two", "secret three"}) {
    CHECK(host.lines.contain(secret));
  }
  host.check_service();
}

TEST_CASE("a handler is told when its client vanishes") {
  SocketHost host;
  std::promise<CancelReason> reason;
  std::promise<int> code;
  WebSocketOptions options;
  options.on_close = [&](WebSocket& socket) { code.set_value(socket.closed().code); };
  host.server.websocket(
      "/ws",
      [&](const Context& ctx, WebSocket&) -> Async<void> {
        const Result<void> slept = co_await sleep(ctx, 1h);
        reason.set_value(ctx.reason());
        co_return slept;
      },
      options);
  host.runtime.start();
  {
    WebSocketClient client = host.connect();
    client.raw().kill();
  }
  CHECK(reason.get_future().get() == CancelReason::client_gone);
  CHECK(code.get_future().get() == 1006);
  host.check_service();
}

TEST_CASE("a client that breaks the protocol is told, and the server goes on") {
  SocketHost host;
  host.server.websocket("/ws", echo, {.max_message = 1000});
  host.runtime.start();
  using namespace std::string_literals;
  const std::pair<std::string, int> faults[] = {{"\x81\x05Hello"s, 1002},
                                                {"\x83\x80mask"s, 1002},
                                                {"\xC1\x80mask"s, 1002},
                                                {"\x09\x80mask"s, 1002},
                                                {"\x82\xFF\x80\0\0\0\0\0\0\0mask"s, 1002},
                                                {client_text("\xed\xa0\x80"), 1007},
                                                {client_text(std::string(1001, 'x')), 1009},
                                                {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"s, 1002}};
  for (const auto& [bytes, code] : faults) {
    WebSocketClient client = host.connect();
    CHECK(client.send(bytes));
    CHECK(client.hear_close() == code);
    client.raw().stop_sending();
    CHECK(client.raw().wait_for_end());
  }
  host.check_service();
}

TEST_CASE("a server that drains says 1001 to all and ends when they have answered") {
  SocketHost host(2);
  host.server.websocket("/coroutine", echo).websocket("/callback", echo_back);
  host.runtime.start();
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(host.connect(i % 2 == 0 ? "/coroutine" : "/callback"));
    CHECK(clients.back().handshake.status == 101);
  }
  std::thread shutdown([&] { host.runtime.shutdown(); });
  for (WebSocketClient& client : clients) {
    CHECK(client.hear_close() == 1001);
    CHECK(client.send(client_close(1001)));
    CHECK(client.raw().wait_for_end());
  }
  shutdown.join();
  CHECK(host.server.connections() == 0);
  CHECK_FALSE(host.lines.contain("drain timed out"));
}

TEST_CASE("clients that never answer the 1001 do not hold up a drain") {
  SocketHost host;
  host.server.websocket("/coroutine", echo, {.close_timeout = 1ms})
      .websocket("/callback", echo_back, {.close_timeout = 1ms});
  host.runtime.start();
  WebSocketClient one = host.connect("/coroutine");
  WebSocketClient two = host.connect("/callback");
  host.runtime.shutdown();
  CHECK(one.hear_close() == 1001);
  CHECK(two.hear_close() == 1001);
  CHECK_FALSE(host.lines.contain("drain timed out"));
}

TEST_CASE("events of many threads reach every follower, in the order of each thread") {
  SocketHost host(2);
  MemoryEventBus bus;
  host.server.websocket("/ws", [&](const Context&, WebSocket& socket) -> Async<void> {
    if (Result<void> on = socket.follow(bus, "t"); !on) co_return on;
    (void)socket.send("ready");
    while (co_await socket.receive()) {
    }
    co_return success();
  });
  host.runtime.start();
  constexpr int kThreads = 3;
  constexpr int kEvents = 500;
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(host.connect());
    CHECK(clients.back().hear() == "ready");
  }
  CHECK(bus.followers("t") == 6);
  std::vector<std::thread> publishers;
  for (int t = 0; t < kThreads; ++t) {
    publishers.emplace_back([&bus, t] {
      for (int i = 0; i < kEvents; ++i) {
        const std::string text = std::to_string(t) + " " + std::to_string(i);
        (void)bus.publish_now("t", Bytes::copy(std::string_view(text)));
      }
    });
  }
  for (WebSocketClient& client : clients) {
    std::vector<int> next(kThreads);
    for (int i = 0; i < kThreads * kEvents; ++i) {
      const std::string text = client.hear();
      const auto from = static_cast<std::size_t>(text[0] - '0');
      REQUIRE(from < kThreads);
      CHECK(text.substr(2) == std::to_string(next[from]++));
    }
  }
  for (std::thread& publisher : publishers) publisher.join();
  for (WebSocketClient& client : clients) {
    client.send(client_close(1000));
    CHECK(client.hear_close() == 1000);
    CHECK(client.raw().wait_for_end());
  }
  host.runtime.shutdown();
  CHECK(bus.followers("t") == 0);
}

TEST_CASE("a client that does not read is disconnected while others are served") {
  SocketHost host;
  std::promise<CancelReason> reason;
  WebSocketOptions options{.max_queue = 100'000};
  options.on_close = [&](WebSocket& socket) { reason.set_value(socket.context().reason()); };
  host.server.websocket(
      "/flood",
      [](const Context&, WebSocket& socket) -> Async<void> {
        const Message message = Message::text(std::string(50'000, 'x'));
        while (socket.send(message)) {
        }
        while (co_await socket.receive()) {
        }
        co_return success();
      },
      options);
  host.server.websocket("/ws", echo);
  host.runtime.start();
  WebSocketClient other = host.connect();
  WebSocketClient slow = host.connect("/flood");
  CHECK(reason.get_future().get() == CancelReason::slow_client);
  CHECK(other.say("still here"));
  CHECK(other.hear() == "still here");
  host.check_service();
}

TEST_CASE("compressed messages pass both ways, and a bomb ends its connection only") {
  SocketHost host;
  WebSocketOptions options{.max_message = 100'000};
  options.deflate = {.enabled = true, .min_size = 100};
  host.server.websocket("/ws", echo, options);
  host.runtime.start();
  const std::string offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  const auto packed = [](std::string_view text) {
    std::string out;
    detail::Deflater(6, 15).deflate(text, out);
    return out;
  };
  WebSocketClient client = host.connect("/ws", offer);
  CHECK(client.handshake.head.find("Sec-WebSocket-Extensions: permessage-deflate; ") !=
        std::string::npos);
  const std::string text(50'000, 'z');
  CHECK(client.send(detail::wire({.payload = packed(text), .reserved = 4})));
  const auto frame = client.next();
  REQUIRE(frame);
  CHECK(frame->compressed);
  CHECK(frame->payload == [&] {
    std::string out;
    detail::Deflater(options.deflate.level, 15).deflate(text, out);
    return out;
  }());
  const std::string bomb = packed(std::string(20'000'000, 'b'));
  CHECK(client.send(detail::wire({.payload = bomb, .reserved = 4})));
  CHECK(client.hear_close() == 1009);
  WebSocketClient plain = host.connect();
  CHECK(plain.send(detail::wire({.payload = packed(text), .reserved = 4})));
  CHECK(plain.hear_close() == 1002);
  host.check_service();
}

TEST_CASE("sockets that come and go in every way leave no descriptor and no count behind") {
  SocketHost host(2);
  host.server.websocket("/coroutine", echo).websocket("/callback", echo_back);
  host.runtime.start();
  const auto open_files = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  host.check_service();
  const auto before = open_files();
  for (int i = 0; i < 60; ++i) {
    WebSocketClient client = host.connect(i % 2 == 0 ? "/coroutine" : "/callback", "",
                                          i % 3 == 0 ? client_text("first") : "");
    if (i % 4 == 0) client.raw().kill();
    if (i % 4 == 1) client.say("x");
    if (i % 4 == 2) client.send("\xff\xff");
    if (i % 4 == 3) {
      client.send(client_close(1000));
      client.raw().wait_for_end();
    }
  }
  // The last one's end is known to both threads when a later connection on each has been served.
  host.runtime.shutdown();
  CHECK(host.server.connections() == 0);
  CHECK(open_files() < before);
  const std::string metrics = host.telemetry.metrics().prometheus();
  CHECK(metrics.find("aiserve_http_websockets{server=\"http\"} 0\n") != std::string::npos);
}

TEST_CASE("what goes over WebSockets is counted") {
  SocketHost host;
  host.server.websocket("/ws", echo);
  host.runtime.start();
  WebSocketClient client = host.connect();
  client.say("x");
  CHECK(client.hear() == "x");
  const std::string metrics = host.telemetry.metrics().prometheus();
  for (const char* line :
       {"aiserve_http_websockets{server=\"http\"} 1\n",
        "aiserve_http_websocket_messages_total{direction=\"received\",server=\"http\"} 1\n",
        "aiserve_http_websocket_messages_total{direction=\"sent\",server=\"http\"} 1\n",
        "aiserve_http_websocket_dropped_total{server=\"http\"} 0\n"}) {
    CHECK_MESSAGE(metrics.find(line) != std::string::npos, line << metrics);
  }
}

TEST_CASE("options of a WebSocket are checked when it is wired") {
  SocketHost host;
  CHECK_THROWS_AS(host.server.websocket("/ws", echo, {.max_message = 0}), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
