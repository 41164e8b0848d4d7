// websocket_test_server: what websocket.test.mjs talks to. Listens on a free port of loopback and
// says so in one line; ends well at SIGTERM.
//   /            an empty page, so that a browser has an origin to connect from
//   /echo        a callback          /coroutine   the same as a coroutine
//   /deflate     /echo with permessage-deflate, without and (/takeover) with context takeover
//   /protocol    says which of the subprotocols v2, v1 was agreed on, and closes with 4001
//   /token       only with "Authorization: Bearer good"
//   /topic       follows the topic "news"; what it sends is published there
#include <aiserve/events/memory_event_bus.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/http/websocket.hpp>

#include <cstdio>

namespace http = aiserve::http;
using aiserve::Async;
using aiserve::Context;
using aiserve::Result;

namespace {

Async<void> echo(const Context&, http::WebSocket& socket) {
  while (Result<http::Message> message = co_await socket.receive()) {
    const Result<void> written = co_await socket.write(*message);
    if (!written) break;
  }
  co_return aiserve::success();
}

void echo_back(http::WebSocket& socket, const http::MessageView& message) {
  (void)socket.send(message);
}

http::WebSocketOptions deflating(bool context_takeover) {
  http::WebSocketOptions options;
  options.deflate = {.enabled = true, .min_size = 1, .context_takeover = context_takeover};
  return options;
}

}  // namespace

int main() {
  aiserve::MemoryEventBus news;
  aiserve::Runtime runtime;
  http::Server server(runtime, {.address = "127.0.0.1", .port = 0});
  server.before([](Context&, const http::Request& request) -> Result<void> {
    const bool allowed =
        request.path() != "/token" || request.header("authorization") == "Bearer good";
    if (allowed) return aiserve::success();
    return aiserve::Error(aiserve::Errc::unauthenticated, "no token");
  });
  server.get("/", [](const Context&, const http::Request&) { return http::html("<title>t"); });
  server.websocket("/echo", echo_back).websocket("/token", echo_back);
  server.websocket("/coroutine", echo);
  server.websocket("/deflate", echo_back, deflating(false));
  server.websocket("/takeover", echo_back, deflating(true));
  server.websocket("/protocol",
                   [](const Context&, http::WebSocket& socket) -> Async<void> {
                     (void)socket.send(socket.subprotocol());
                     co_return socket.close(4001, "that was all");
                   },
                   {.subprotocols = {"v2", "v1"}});
  server.websocket("/topic", [&](const Context& ctx, http::WebSocket& socket) -> Async<void> {
    if (Result<void> on = socket.follow(news, "news"); !on) co_return on;
    (void)socket.send("following");
    while (Result<http::Message> message = co_await socket.receive()) {
      const Result<void> sent = co_await news.publish(ctx, "news", message->bytes());
      if (!sent) break;
    }
    co_return aiserve::success();
  });
  std::printf("listening on http://127.0.0.1:%d\n", server.port());
  std::fflush(stdout);
  return runtime.run();
}
