// http::Client and servers that fail: retries and their budget, the circuit breaker, connections
// that are gone.
#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "support/deaf_port.hpp"
#include "unit/http/client_caller.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using testing::DeafPort;

TEST_CASE("503 is asked again after a pause, and Retry-After is kept to") {
  ScriptedServer server([](ScriptedPeer& peer) {
    peer.answer("HTTP/1.1 503 X\r\nContent-Length: 0\r\nRetry-After: 0\r\n\r\n");
    peer.answer(kHello);
    peer.wait_for_end();
  });
  Caller host({.retry = {.first_pause = 1ms, .longest_pause = 1ms}});
  CHECK(host.get(server.url())->text() == "hello");
  CHECK(server.connections() == 1);
}

TEST_CASE("a Retry-After beyond the longest wait, or the deadline, makes 503 the answer") {
  ScriptedServer server(serves("HTTP/1.1 503 X\r\nContent-Length: 0\r\nRetry-After: 3600\r\n\r\n"));
  Caller host;
  CHECK(host.get(server.url())->status() == 503);
  Caller patient({.retry = {.longest_wait = 1h}});
  CHECK(patient.get(server.url())->status() == 503);
  CHECK(server.count("GET ") == 2);
}

TEST_CASE("a POST that was answered with 503 is not repeated without a key") {
  ScriptedServer server(serves("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"));
  Caller host({.retry = {.first_pause = 1ms, .longest_pause = 1ms}});
  CHECK(host.send(ClientRequest(Method::post, server.url()))->status() == 503);
  CHECK(server.count("POST ") == 1);
  ClientRequest keyed(Method::post, server.url());
  keyed.idempotency_key("k");
  CHECK(host.send(keyed)->status() == 503);
  CHECK(server.count("POST ") == 4);
}

TEST_CASE("retries stay within their budget") {
  ScriptedServer server(serves("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"));
  Caller host({.retry = {.budget = 0.1, .burst = 2, .first_pause = 1ms, .longest_pause = 1ms},
               .breaker = {.failures = 0}});
  for (int i = 0; i < 40; ++i) CHECK(host.get(server.url())->status() == 503);
  const int retries = server.count("GET ") - 40;
  CHECK(retries >= 4);
  CHECK(retries <= 6);  // the burst, and a tenth of the calls
}

TEST_CASE("the breaker opens, spares the server, and heals by a probe") {
  std::atomic<bool> well{false};
  ScriptedServer server([&](ScriptedPeer& peer) {
    while (!peer.read_head().empty()) {
      peer.send(well ? kHello : "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n");
    }
  });
  ClientOptions options = once();
  options.breaker = {.window = 4, .failures = 4, .first_pause = 20ms, .longest_pause = 20ms};
  Caller host(options);
  for (int i = 0; i < 4; ++i) CHECK(host.get(server.url())->status() == 503);
  CHECK(host.metric(R"(aiserve_http_client_breaker_opened_total{client="client"})") == "1");
  well = true;
  // It refuses at first, then lets a probe through; however slow this machine is.
  Result<ClientResponse> answer = host.get(server.url());
  for (int i = 0; i < 1'000 && !answer.ok(); ++i) {
    CHECK(answer.error().code() == Errc::unavailable);
    REQUIRE(answer.error().retry_after().has_value());
    (void)block_on(host.runtime, sleep(Context::background(), *answer.error().retry_after()));
    answer = host.get(server.url());
  }
  REQUIRE(answer.ok());
  CHECK(answer->text() == "hello");
  CHECK(host.get(server.url()).ok());
}

constexpr const char* kOpenedBreakers =
    R"(aiserve_http_client_breaker_opened_total{client="client"})";
constexpr const char* kStale =
    R"(aiserve_http_client_retries_total{client="client",result="stale"})";

ScriptedServer::Script silent_after(int answers) {
  return [answers](ScriptedPeer& peer) {
    for (int i = 0; i < answers; ++i) peer.answer(kHello);
    peer.wait_for_end();
  };
}

TEST_CASE("callers in a hurry don't open the breaker for all others") {
  ScriptedServer server(silent_after(0));
  ClientOptions options = once();
  options.breaker = {.window = 4, .failures = 2, .first_pause = 1h, .longest_pause = 1h};
  Caller host(options);
  for (int i = 0; i < 6; ++i) {
    const Deadline soon = Deadline::after(host.runtime.clock().now(), 5ms);
    const Context ctx = Context::background().with_deadline(soon);
    CHECK(code_of(host.get(server.url(), ctx)) == Errc::deadline_exceeded);
  }
  CHECK(host.metric(kOpenedBreakers) == "0");
}

TEST_CASE("the client's own timeout, or the request's, is the service's failure") {
  ScriptedServer server(silent_after(0));
  ClientOptions options = once();
  options.timeout = 1h;
  options.breaker = {.window = 4, .failures = 2, .first_pause = 1h, .longest_pause = 1h};
  Caller host(options);
  for (int i = 0; i < 2; ++i) {
    ClientRequest request(Method::get, server.url());
    request.timeout(5ms);
    CHECK(code_of(host.send(request)) == Errc::deadline_exceeded);
  }
  CHECK(host.metric(kOpenedBreakers) == "1");
}

TEST_CASE("a service that says the caller's time is over has not failed") {
  ScriptedServer server(serves("HTTP/1.1 504 X\r\nContent-Length: 0\r\n\r\n"));
  ClientOptions options = once();
  options.breaker = {.window = 4, .failures = 2, .first_pause = 1h, .longest_pause = 1h};
  Caller host(options);
  const auto call = [&](Duration time) {
    const Deadline until = Deadline::after(host.runtime.clock().now(), time);
    (void)host.get(server.url(), Context::background().with_deadline(until));
  };
  for (int i = 0; i < 4; ++i) call(1ms);
  CHECK(host.metric(kOpenedBreakers) == "0");
  for (int i = 0; i < 2; ++i) call(10s);  // long before it is over
  CHECK(host.metric(kOpenedBreakers) == "1");
}

// False if the first answer, which the server does give, was not there by then.
bool met_silence_after(std::chrono::milliseconds first_byte_timeout) {
  ScriptedServer server({silent_after(1), silent_after(0)});
  Caller host({.first_byte_timeout = first_byte_timeout,
               .retry = {.attempts = 3, .budget = 0, .burst = 0},
               .breaker = {.window = 1, .failures = 1, .first_pause = 1h, .longest_pause = 1h}});
  const auto first = host.get(server.url());
  if (!first.ok()) return false;
  CHECK(first->text() == "hello");
  CHECK(code_of(host.get(server.url())) == Errc::deadline_exceeded);
  CHECK(server.connections() == 1);
  CHECK(host.metric(kStale) == "0");
  CHECK(host.metric(kOpenedBreakers) == "1");
  return true;
}

TEST_CASE("silence on a kept connection is a failure, and asked again within the budget only") {
  std::chrono::milliseconds patience = 30ms;
  while (!met_silence_after(patience)) {
    patience *= 2;
    REQUIRE(patience < 60s);
  }
}

TEST_CASE("a probe that meets a stale connection goes on with a fresh one") {
  const auto cut = [](ScriptedPeer& peer) {
    peer.answer(kHello);                                         // kept
    peer.answer("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n");  // opens the breaker
    (void)peer.read_head();                                      // the probe, cut
  };
  ScriptedServer server({cut, serves(std::string(kHello))});
  ClientOptions options = once();
  options.breaker = {.window = 1, .failures = 1, .first_pause = 200ms, .longest_pause = 200ms};
  Caller host(options);
  CHECK(host.get(server.url())->text() == "hello");
  CHECK(host.get(server.url())->status() == 503);
  Result<ClientResponse> answer = host.get(server.url());
  for (int i = 0; i < 1'000 && host.metric(kStale) == "0"; ++i) {
    REQUIRE(answer.error().retry_after().has_value());
    (void)block_on(host.runtime, sleep(Context::background(), *answer.error().retry_after()));
    answer = host.get(server.url());
  }
  REQUIRE(answer.ok());
  CHECK(answer->text() == "hello");
  CHECK(host.metric(kStale) == "1");
}

TEST_CASE("a probe that its caller gives up is the next call's") {
  const auto silent_probe = [](ScriptedPeer& peer) {
    peer.answer("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n");
    (void)peer.read_head();
    peer.wait_for_end();
  };
  ScriptedServer server({silent_probe, serves(std::string(kHello))});
  ClientOptions options = once();
  options.breaker = {.window = 1, .failures = 1, .first_pause = 300ms, .longest_pause = 1h};
  Caller host(options);
  CHECK(host.get(server.url())->status() == 503);
  while (server.count("GET ") != 2) {
    const Deadline soon = Deadline::after(host.runtime.clock().now(), 30ms);
    const auto came = host.get(server.url(), Context::background().with_deadline(soon));
    if (came.ok()) break;  // the one given up was not counted yet
    const Duration rest = came.error().retry_after().value_or(0ms);
    (void)block_on(host.runtime, sleep(Context::background(), rest));
  }
  const auto answer = host.get(server.url());
  REQUIRE(answer.ok());
  CHECK(answer->text() == "hello");
}

TEST_CASE("a server that closes after each answer without saying so fails nobody") {
  ScriptedServer server([](ScriptedPeer& peer) { peer.answer(kHello); });
  Caller host;
  for (int i = 0; i < 20; ++i) {
    const auto answer = host.get(server.url());
    REQUIRE(answer.ok());
    CHECK(answer->text() == "hello");
  }
}

TEST_CASE("nobody listens: the call fails, a POST is tried again, since nothing was sent") {
  const DeafPort nobody;
  Caller host({.retry = {.attempts = 3, .first_pause = 1ms, .longest_pause = 1ms}});
  const std::string url = "http://127.0.0.1:" + std::to_string(nobody.port()) + "/";
  CHECK(code_of(host.send(ClientRequest(Method::post, url))) == Errc::unavailable);
  CHECK(host.metric(R"(aiserve_http_client_retries_total{client="client",result="made"})") == "2");
}

TEST_CASE("too many origins at once are refused, unused ones are forgotten") {
  ScriptedServer a(serves(std::string(kHello)));
  ScriptedServer b(serves(std::string(kHello)));
  Caller host({.max_origins = 1});
  for (int i = 0; i < 3; ++i) {
    CHECK(host.get(a.url()).ok());
    CHECK(host.get(b.url()).ok());
  }
  CHECK(a.connections() == 3);
}

TEST_CASE("an origin is not forgotten while a call pauses between two attempts") {
  ScriptedServer busy(serves("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"));
  ScriptedServer other(serves(std::string(kHello)));
  Caller host(
      {.max_origins = 1, .timeout = 24h, .retry = {.first_pause = 1h, .longest_pause = 1h}});
  const Context pausing = Context::background().child();
  std::thread caller([&] { (void)host.get(busy.url(), pausing); });
  const char* const made = R"(aiserve_http_client_retries_total{client="client",result="made"})";
  while (host.metric(made) != "1") std::this_thread::yield();
  CHECK(code_of(host.get(other.url())) == Errc::overloaded);
  pausing.cancel(CancelReason::user);
  caller.join();
  CHECK(host.get(other.url()).ok());
}

}  // namespace
}  // namespace aiserve::http
