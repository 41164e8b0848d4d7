// http::Client over real sockets: against our own server, and a network that misbehaves.
#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/http/server.hpp"
#include "aiserve/testing/tcp_gate.hpp"
#include "unit/http/client_host.hpp"
#include "unit/http/gzip.hpp"
#include "unit/http/scripted_server.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using testing::GateMode;
using testing::TcpGate;

// A service in the same Runtime as the client that calls it.
struct Echo : ClientHost {
  explicit Echo(ClientOptions options = {}) : ClientHost(std::move(options)) {
    server.get("/hello", [](const Context&, const Request&) { return text("hello"); })
        .get("/big", [](const Context&, const Request&) { return text(std::string(300'000, 'b')); })
        .get("/fields",
             [](const Context&, const Request& request) {
               std::string all;
               for (std::size_t i = 0; i < request.header_count(); ++i) {
                 const auto [name, value] = request.header_at(i);
                 all.append(name).append(": ").append(value).append("\n");
               }
               return text(all);
             })
        .get("/query",
             [](const Context&, const Request& request) {
               return text(request.query("a b").value_or("none"));
             })
        .get("/waits",
             [this](const Context& ctx, const Request&) -> Async<Response> {
               ++waiting;
               waiting.notify_all();
               const Result<void> slept = co_await sleep(ctx, 1h);
               ++gone;
               gone.notify_all();
               if (!slept.ok()) co_return slept.error();
               co_return text("late");
             })
        .get("/missing", [](const Context&, const Request&) { return text("no").status(404); })
        .post("/echo",
              [this](const Context&, const Request& request) {
                ++effects;
                return bytes(request.body_bytes());
              })
        .get("/to/{status:int}", [](const Context&, const Request& request) {
          return Response(static_cast<int>(request.int_param("status")))
              .header("Location", "/hello");
        });
    server.post("/to/{status:int}", [](const Context&, const Request& request) {
      return Response(static_cast<int>(request.int_param("status"))).header("Location", "/echo");
    });
    server.get("/echo", [](const Context&, const Request& request) {
      return text("got " + std::string(request.content_type()));
    });
    start();
  }
  std::string url(std::string_view target) const {
    return "http://127.0.0.1:" + std::to_string(server.port()) + std::string(target);
  }
  std::string through_gate(std::string_view target) const {
    return "http://127.0.0.1:" + std::to_string(gate.port()) + std::string(target);
  }
  // How a call ends that has little time: what is asked beside it has as much as it needs.
  Errc hasty(std::string_view target) {
    ClientRequest request(Method::get, through_gate(target));
    request.timeout(60ms);
    return code_of(send(std::move(request)));
  }
  // The network is well again: so are the calls.
  void check_service() {
    gate.both(GateMode::pass());
    const auto answer = get(through_gate("/hello"));
    REQUIRE(answer.ok());
    CHECK(answer->text() == "hello");
  }

  Server server{runtime, {.address = "127.0.0.1", .port = 0}};
  TcpGate gate{server.port()};
  std::atomic<int> waiting{0};
  std::atomic<int> gone{0};
  std::atomic<int> effects{0};
};

constexpr const char* kReused =
    R"(aiserve_http_client_connections_total{client="client",result="reused"})";
constexpr const char* kOpened =
    R"(aiserve_http_client_connections_total{client="client",result="opened"})";

TEST_CASE("a call gets its answer, whatever the status") {
  Echo host;
  const auto hello = host.get(host.url("/hello"));
  REQUIRE(hello.ok());
  CHECK(hello->status() == 200);
  CHECK(hello->ok());
  CHECK(hello->text() == "hello");
  CHECK(hello->header("content-TYPE") == "text/plain; charset=utf-8");
  const auto missing = host.get(host.url("/missing"));
  REQUIRE(missing.ok());
  CHECK(missing->status() == 404);
  CHECK_FALSE(missing->ok());
}

TEST_CASE("connections are kept and used again") {
  Echo host;
  for (int i = 0; i < 5; ++i) REQUIRE(host.get(host.url("/hello")).ok());
  CHECK(host.metric(kOpened) == "1");
  CHECK(host.metric(kReused) == "4");
}

TEST_CASE("bodies go and come, also large ones") {
  Echo host;
  const std::string body(5'000'000, 'x');
  ClientRequest request(Method::post, host.url("/echo"));
  request.body(body, "application/octet-stream");
  const auto answer = host.send(request);
  REQUIRE(answer.ok());
  CHECK(answer->text() == body);
  CHECK(host.get(host.url("/big"))->text().size() == 300'000);
}

TEST_CASE("a HEAD has an answer without a body, and the connection lives") {
  Echo host;
  for (int i = 0; i < 2; ++i) {
    const auto answer = host.send(ClientRequest(Method::head, host.url("/hello")));
    REQUIRE(answer.ok());
    CHECK(answer->header("content-length") == "5");
    CHECK(answer->text().empty());
  }
  CHECK(host.metric(kReused) == "1");
}

TEST_CASE("query parameters arrive as they were given") {
  Echo host;
  ClientRequest request(Method::get, host.url("/query"));
  request.query("a b", "c&d=e/\xc3\xa4\r\n");
  CHECK(host.send(request)->text() == "c&d=e/\xc3\xa4\r\n");
}

TEST_CASE("deadline and trace go along, what the caller sets wins") {
  Echo host;
  ContextOptions options;
  options.trace = TraceParent::generate(true);
  const Context ctx(options);
  const auto sent = host.get(host.url("/fields"), ctx);
  REQUIRE(sent.ok());
  const std::string fields(sent->text());
  const std::string_view timeout = "Request-Timeout-Ms: ";
  REQUIRE(fields.find(timeout) != std::string::npos);
  const int left = std::atoi(fields.c_str() + fields.find(timeout) + timeout.size());
  CHECK(left > 0);
  CHECK(left < 30'000);  // some time has passed
  CHECK(fields.find("traceparent: 00-" + std::string(options.trace.trace_text())) !=
        std::string::npos);
  CHECK(fields.find(options.trace.text()) == std::string::npos);  // a span of its own
  CHECK(fields.find("User-Agent: aiserve") != std::string::npos);
  ClientRequest request(Method::get, host.url("/fields"));
  request.header("User-Agent", "mine").header("Accept-Encoding", "identity").bearer("token");
  const auto own = host.send(request);
  CHECK(own->text().find("User-Agent: mine\n") != std::string::npos);
  CHECK(own->text().find("gzip") == std::string::npos);
  CHECK(own->text().find("Authorization: Bearer token\n") != std::string::npos);
}

TEST_CASE("fields that could split a request, or change its framing, are refused") {
  Echo host;
  const std::vector<std::pair<std::string, std::string>> bad{{"X", "a\r\nY: b"},
                                                             {"X\r\nY", "b"},
                                                             {"", "b"},
                                                             {"X Y", "b"},
                                                             {"X:", "b"},
                                                             {"X", "a\nb"},
                                                             {"X", "a\x01"},
                                                             {"X", std::string("a\0b", 3)},
                                                             {"Host", "evil"},
                                                             {"connection", "close"},
                                                             {"Content-Length", "1"},
                                                             {"Transfer-Encoding", "chunked"},
                                                             {"Expect", "100-continue"},
                                                             {"X", " a"}};
  for (const auto& field : bad) {
    ClientRequest request(Method::get, host.url("/hello"));
    request.header(field.first, field.second);
    CHECK_MESSAGE(code_of(host.send(request)) == Errc::invalid_argument, field.first);
  }
  CHECK(code_of(host.get("http://user@127.0.0.1/")) == Errc::invalid_argument);
}

TEST_CASE("redirects are followed to the answer") {
  Echo host;
  for (const int status : {301, 302, 303, 307, 308}) {
    const auto answer = host.get(host.url("/to/" + std::to_string(status)));
    REQUIRE(answer.ok());
    CHECK(answer->text() == "hello");
  }
}

TEST_CASE("a redirected POST is a GET without a body after 301 to 303, and itself after 307, 308") {
  Echo host;
  for (const int status : {301, 302, 303, 307, 308}) {
    ClientRequest request(Method::post, host.url("/to/" + std::to_string(status)));
    request.body("body", "text/x-own");
    const auto answer = host.send(request);
    REQUIRE(answer.ok());
    CHECK(answer->text() == (status < 307 ? "got " : "body"));
  }
  CHECK(host.effects == 2);
}

TEST_CASE("without redirects a redirect is an answer") {
  Echo host({.max_redirects = 0});
  CHECK(host.get(host.url("/to/302"))->status() == 302);
}

TEST_CASE("the deadline of the Context ends a call, and the request at the server") {
  Echo host({.send_deadline = false});  // else the server may be the one that says so
  // A call may end before it has reached the server: then it is given more time.
  for (Duration time = 50ms; host.waiting == 0; time *= 2) {
    const Deadline soon = Deadline::after(host.runtime.clock().now(), time);
    const Context ctx = Context::background().with_deadline(soon);
    CHECK(code_of(host.get(host.url("/waits"), ctx)) == Errc::deadline_exceeded);
  }
  while (host.gone != host.waiting) std::this_thread::yield();
}

TEST_CASE("a server gives up when its client would") {
  Echo host({.retry = {.attempts = 1}});
  ClientRequest request(Method::get, host.url("/waits"));
  request.header("Request-Timeout-Ms", "20");
  const auto answer = host.send(request);
  REQUIRE(answer.ok());
  CHECK(answer->status() == 504);
  host.gone.wait(0);
  CHECK(host.gone == 1);
}

TEST_CASE("cancelling the Context closes the connection") {
  Echo host;
  const Context ctx = Context::background().child();
  std::thread canceller([&] {
    host.waiting.wait(0);
    ctx.cancel(CancelReason::user);
  });
  CHECK(code_of(host.get(host.url("/waits"), ctx)) == Errc::cancelled);
  canceller.join();
  host.gone.wait(0);
  CHECK(host.gone == 1);
}

TEST_CASE("calls from within handlers, on every I/O thread, use pools of their own") {
  LogLines lines;
  Telemetry telemetry{{.log_sink = lines.sink()}};
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  Client client(runtime, {.allow_addresses = {"127.0.0.0/8"}});
  Server server(runtime, {.address = "127.0.0.1", .port = 0});
  server.get("/leaf", [](const Context&, const Request&) { return text("leaf"); });
  const auto port = std::to_string(server.port());
  server.get("/node", [&](const Context& ctx, const Request&) -> Async<Response> {
    ClientRequest request(Method::get, "http://127.0.0.1:" + port + "/leaf");
    const auto leaf = co_await client.send(ctx, request);
    if (!leaf.ok()) co_return leaf.error();
    co_return text("node of " + std::string(leaf->text()));
  });
  runtime.start();
  std::vector<std::thread> callers;
  callers.reserve(4);
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 25; ++j) {
        ClientRequest request(Method::get, "http://127.0.0.1:" + port + "/node");
        const auto node = block_on(runtime, client.send(Context::background(), request));
        if (node.ok() && node->text() == "node of leaf") ++good;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(good == 100);
}

TEST_CASE("calls beyond the connections wait for one, those beyond the waiting are refused") {
  Echo host({.max_connections = 1, .max_waiting = 1});
  const Context first = Context::background().child();
  std::thread holder([&] { (void)host.get(host.url("/waits"), first); });
  host.waiting.wait(0);
  std::atomic<int> good{0};
  std::atomic<int> refused{0};
  const auto call = [&] {
    const auto came = host.get(host.url("/hello"));
    (came.ok() ? good : refused)++;
    refused.notify_all();
    if (!came.ok()) CHECK(came.error().code() == Errc::overloaded);
  };
  std::thread one(call);
  std::thread two(call);
  refused.wait(0);  // one of them waits, the other found no room
  first.cancel(CancelReason::user);
  holder.join();
  one.join();
  two.join();
  CHECK(good == 1);
  CHECK(refused == 1);
}

TEST_CASE("answers in gzip are decoded, and bounded as decoded") {
  const std::string text(100'000, 'z');
  const std::string coded = deflated(text);
  ScriptedServer server([&](ScriptedPeer& peer) {
    for (;;) {
      if (peer.read_head().empty()) return;
      peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                std::to_string(coded.size()) + "\r\n\r\n" + coded);
    }
  });
  ClientHost host;
  host.start();
  const auto answer = host.get(server.url());
  REQUIRE(answer.ok());
  CHECK(answer->text() == text);
  CHECK(answer->header("content-encoding").empty());
  CHECK(answer->header("content-length").empty());
  ClientRequest bounded(Method::get, server.url());
  bounded.max_body(99'999);
  CHECK(code_of(host.send(bounded)) == Errc::too_large);
}

TEST_CASE("every byte may come alone") {
  Echo host;
  host.gate.both(GateMode::slice(1));
  const auto hello = host.get(host.through_gate("/hello"));
  REQUIRE(hello.ok());
  CHECK(hello->text() == "hello");
  host.check_service();
}

TEST_CASE("a black hole ends a call at its timeout, and the next call is well") {
  Echo host({.retry = {.attempts = 1}});
  host.gate.to_client(GateMode::drop());
  CHECK(host.hasty("/hello") == Errc::deadline_exceeded);
  host.gate.reset_all();
  host.check_service();
}

TEST_CASE("a request that is lost on its way, late, or cut ends in time and spoils no later call") {
  Echo host({.retry = {.attempts = 1}, .breaker = {.failures = 0}});
  host.check_service();
  host.gate.to_target(GateMode::drop());
  CHECK(host.hasty("/hello") == Errc::deadline_exceeded);
  host.gate.reset_all();
  host.check_service();
  host.gate.to_client(GateMode::delay(1h));
  CHECK(host.hasty("/hello") == Errc::deadline_exceeded);
  host.gate.reset_all();
  host.check_service();
  host.gate.to_client(GateMode::limit(1));
  CHECK(host.hasty("/big") == Errc::deadline_exceeded);
  host.gate.reset_all();
  host.check_service();
  host.gate.to_target(GateMode::close_on_data());
  CHECK(code_of(host.get(host.through_gate("/hello"))) == Errc::unavailable);
  host.check_service();
}

TEST_CASE("64 calls at once through a network that resets now and then have one effect each") {
  Echo host(
      {.max_connections = 8,
       .retry =
           {.attempts = 10, .budget = 1, .burst = 1000, .first_pause = 1ms, .longest_pause = 5ms},
       .breaker = {.failures = 0}});
  std::atomic<int> sure{0};    // answered
  std::atomic<int> unsure{0};  // broken after they were sent: perhaps an effect
  std::vector<std::thread> callers;
  callers.reserve(64);
  for (int i = 0; i < 64; ++i) {
    callers.emplace_back([&] {
      ClientRequest request(Method::post, host.through_gate("/echo"));
      request.body("x", "text/plain");
      (host.send(request).ok() ? sure : unsure)++;
    });
    if (i % 16 == 8) host.gate.reset_all();
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(host.effects >= sure);
  CHECK(host.effects <= sure + unsure);
  host.check_service();
}

TEST_CASE("a connection that was reset while idle is not the reason for a failed call") {
  Echo host;
  for (int i = 0; i < 3; ++i) {
    host.check_service();
    host.gate.reset_all();
  }
  host.check_service();
}

TEST_CASE("a POST whose connection breaks after it was sent is not repeated") {
  Echo host;
  host.check_service();
  host.gate.to_client(GateMode::reset_on_data());
  ClientRequest request(Method::post, host.through_gate("/echo"));
  request.body("once", "text/plain");
  CHECK(code_of(host.send(request)) == Errc::unavailable);
  CHECK(host.effects == 1);
  host.check_service();
}

TEST_CASE("a POST with an idempotency key is repeated, and so is a GET") {
  Echo host({.retry = {.attempts = 3, .first_pause = 1ms, .longest_pause = 2ms}});
  host.gate.to_client(GateMode::reset_on_data());
  ClientRequest request(Method::post, host.through_gate("/echo"));
  request.body("once", "text/plain").idempotency_key("k1");
  CHECK(code_of(host.send(request)) == Errc::unavailable);
  CHECK(host.effects == 3);
  host.check_service();
}

}  // namespace
}  // namespace aiserve::http
