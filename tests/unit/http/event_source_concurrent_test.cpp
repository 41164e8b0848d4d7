// http::EventSource against our own event channels, a network that breaks, and servers that lie.
#include <atomic>
#include <initializer_list>
#include <thread>

#include <doctest/doctest.h>

#include "aiserve/http/event_channel.hpp"
#include "aiserve/http/event_source.hpp"
#include "aiserve/http/server.hpp"
#include "aiserve/testing/tcp_gate.hpp"
#include "unit/http/client_host.hpp"
#include "unit/http/scripted_server.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n";

EventSourceOptions quick() {
  EventSourceOptions options;
  options.retry = 1ms;
  options.longest_pause = 2ms;
  options.max_failures = 3;
  return options;
}

struct Follower : ClientHost {
  Follower() : ClientHost({.retry = {.attempts = 1}, .breaker = {.failures = 0}}) {}

  EventSource follow(const std::string& url, const EventSourceOptions& options = quick()) {
    return EventSource(client, ClientRequest(Method::get, url), options);
  }
  // "type:data", "end", or the error's label.
  std::string next(EventSource& source, const Context& ctx = Context::background()) {
    const auto event = block_on(runtime, source.next(ctx));
    if (!event.ok()) return std::string(traits(event.error().code()).label);
    return *event ? (*event)->type + ":" + (*event)->data : "end";
  }
};

// A body that is given once; it is as if nobody had asked for it when `given` is false.
ClientBody hello(bool& given) {
  ClientBody body;
  body.length = 5;
  body.next = [&given](const Context&) -> Async<Bytes> {
    co_return std::exchange(given, true) ? Bytes() : Bytes::literal("hello");
  };
  return body;
}

TEST_CASE("events of our own server come in order, also over a network that breaks") {
  Follower host;
  EventChannel channel;
  Server server(host.runtime, {.address = "127.0.0.1", .port = 0});
  server.events("/ticks", channel);
  host.start();
  testing::TcpGate gate(server.port());
  EventSource source = host.follow("http://127.0.0.1:" + std::to_string(gate.port()) + "/ticks");
  int sent = 0;
  const auto send = [&] {
    const std::string data = std::to_string(sent++);
    REQUIRE(channel.send({.event = "tick", .data = data}).ok());
  };
  // It follows from here on: the first event tells that it is there.
  std::thread ticker([&] {
    while (channel.followers() == 0) std::this_thread::yield();
    send();
  });
  CHECK(host.next(source) == "tick:0");
  ticker.join();
  for (int round = 1; round < 4; ++round) {
    gate.reset_all();
    send();  // missed, and asked for again
    CHECK(host.next(source) == "tick:" + std::to_string(round));
  }
}

TEST_CASE("it comes back with Last-Event-ID") {
  ScriptedServer server({[](ScriptedPeer& peer) {
                           peer.answer(std::string(kStream) +
                                       "id: 7\ndata: a\n\nid: 8\ndata: lost");
                         },
                         [](ScriptedPeer& peer) {
                           peer.answer(std::string(kStream) + "data: b\n\n");
                           peer.wait_for_end();
                         }});
  Follower host;
  host.start();
  EventSource source = host.follow(server.url());
  CHECK(host.next(source) == "message:a");
  CHECK(host.next(source) == "message:b");
  CHECK(source.last_event_id() == "7");
  CHECK(server.count("Last-Event-ID: 7\r\n") == 1);
  CHECK(server.count("Last-Event-ID") == 1);
  CHECK(server.count("Accept: text/event-stream\r\n") == 2);
}

TEST_CASE("a body that is made while it is sent is begun anew, or there is no second connection") {
  const auto event_after_body = [](std::string_view data) {
    return [data = std::string(data)](ScriptedPeer& peer) {
      peer.read_head();
      peer.receive_until("hello");
      peer.send(std::string(kStream) + "data: " + data + "\n\n");
    };
  };
  for (const bool again : {true, false}) {
    ScriptedServer server({event_after_body("a"), event_after_body("b")});
    Follower host;
    host.start();
    bool given = false;
    ClientBody body = hello(given);
    if (again) {
      body.rewind = [&given]() -> Result<void> {
        given = false;
        return success();
      };
    }
    ClientRequest request(Method::post, server.url());
    request.body(std::move(body), "text/plain");
    EventSource source(host.client, std::move(request), quick());
    CHECK(host.next(source) == "message:a");
    CHECK(host.next(source) == (again ? "message:b" : "invalid_argument"));
    CHECK(server.connections() == (again ? 2 : 1));
  }
}

TEST_CASE("a body that nobody has asked for yet need not be begun anew") {
  ScriptedServer server([](ScriptedPeer& peer) {
    peer.read_head();
    peer.receive_until("hello");
    peer.send(std::string(kStream) + "data: a\n\n");
    peer.wait_for_end();
  });
  std::atomic<int> lookups{0};
  ClientOptions options{.retry = {.attempts = 1}, .breaker = {.failures = 0}};
  options.resolve = [&lookups](const std::string&) -> Result<std::vector<std::string>> {
    if (++lookups == 1) return Error(Errc::unavailable, "no name server answers");
    return std::vector<std::string>{"127.0.0.1"};
  };
  ClientHost host(std::move(options));
  host.start();
  bool given = false;
  std::string url = server.url();
  url.replace(url.find("127.0.0.1"), 9, "events.test");
  ClientRequest request(Method::post, url);
  request.body(hello(given), "text/plain");
  EventSource source(host.client, std::move(request), quick());
  const auto event = block_on(host.runtime, source.next(Context::background()));
  REQUIRE_MESSAGE(event.ok(), event.error().to_string());
  CHECK((*event)->data == "a");
  CHECK(lookups == 2);
  CHECK(server.count("Content-Type: text/plain\r\n") == 1);
}

TEST_CASE("204 ends it for good") {
  ScriptedServer server([](ScriptedPeer& peer) { peer.answer("HTTP/1.1 204 N\r\n\r\n"); });
  Follower host;
  host.start();
  EventSource source = host.follow(server.url());
  CHECK(host.next(source) == "end");
  CHECK(host.next(source) == "end");
  CHECK(server.connections() == 1);
}

TEST_CASE("an answer that is no event stream is final, 503 is not") {
  for (const std::string_view answer :
       {"HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-streams\r\nContent-Length: 0\r\n\r\n"}) {
    ScriptedServer server([&](ScriptedPeer& peer) { peer.answer(answer); });
    Follower host;
    host.start();
    EventSource source = host.follow(server.url());
    CHECK(host.next(source) == "unavailable");
    CHECK(host.next(source) == "unavailable");
    CHECK(server.connections() == 1);
  }
  ScriptedServer server(
      {[](ScriptedPeer& peer) { peer.answer("HTTP/1.1 503 N\r\nContent-Length: 0\r\n\r\n"); },
       [](ScriptedPeer& peer) {
         peer.answer(std::string(kStream) + "data: a\n\n");
         peer.wait_for_end();
       }});
  Follower host;
  host.start();
  EventSource source = host.follow(server.url());
  CHECK(host.next(source) == "message:a");
}

TEST_CASE("it gives up after max_failures in a row") {
  ScriptedServer server([](ScriptedPeer& peer) { peer.read_head(); });
  Follower host;
  host.start();
  EventSource source = host.follow(server.url());
  CHECK(host.next(source) == "unavailable");
  CHECK(server.connections() == 3);
}

TEST_CASE("an event without end is refused") {
  ScriptedServer server([](ScriptedPeer& peer) {
    peer.answer(kStream);
    for (int i = 0; i < 200; ++i) peer.send("data: " + std::string(100, 'x') + "\n");
  });
  Follower host;
  host.start();
  EventSourceOptions options = quick();
  options.max_event = 2'000;
  EventSource source = host.follow(server.url(), options);
  CHECK(host.next(source) == "too_large");
  CHECK(host.next(source) == "too_large");
}

TEST_CASE("the caller's deadline and cancellation end next(), and the source goes on after it") {
  std::atomic<bool> go{false};
  ScriptedServer server([&](ScriptedPeer& peer) {
    peer.answer(std::string(kStream) + "data: connected\n\n");
    go.wait(false);
    peer.send("data: a\n\n");
    peer.wait_for_end();
  });
  Follower host;
  host.start();
  EventSource source = host.follow(server.url());
  CHECK(host.next(source) == "message:connected");
  const Context soon =
      Context::background().with_deadline(Deadline::after(host.runtime.clock().now(), 30ms));
  CHECK(host.next(source, soon) == "deadline_exceeded");
  const Context gone = Context::background().child();
  gone.cancel(CancelReason::user);
  CHECK(host.next(source, gone) == "cancelled");
  go = true;
  go.notify_all();
  CHECK(host.next(source) == "message:a");
  CHECK(server.connections() == 1);
}

TEST_CASE("options out of their range are ConfigErrors") {
  Follower host;
  for (const auto change : std::initializer_list<void (*)(EventSourceOptions&)>{
           [](EventSourceOptions& o) { o.retry = 0ms; },
           [](EventSourceOptions& o) { o.longest_pause = 2h; },
           [](EventSourceOptions& o) { o.max_failures = 0; },
           [](EventSourceOptions& o) { o.max_event = 10; }}) {
    EventSourceOptions options;
    change(options);
    CHECK_THROWS_AS(host.follow("http://127.0.0.1/", options), ConfigError);
  }
}

}  // namespace
}  // namespace aiserve::http
