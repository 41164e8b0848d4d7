// http::Client against servers that lie, stall, flood and redirect.
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "unit/http/client_caller.hpp"
#include "unit/http/gzip.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

std::string redirect_to(std::string_view where, int status = 302) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: 0\r\nLocation: " + std::string(where) + "\r\n\r\n";
}

ScriptedServer::Script says(std::string text) {
  return [text = std::move(text)](ScriptedPeer& peer) { peer.answer(text); };
}

TEST_CASE("answers that are no HTTP, cut, or framed twice are errors") {
  for (const std::string_view text :
       {"", "garbage\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"}) {
    ScriptedServer server(says(std::string(text)));
    Caller host(once());
    CHECK_MESSAGE(code_of(host.get(server.url())) == Errc::unavailable, text);
  }
}

TEST_CASE("what comes behind an answer is never taken for the next one") {
  ScriptedServer server({[](ScriptedPeer& peer) {
                           peer.answer(std::string(kHello) +
                                       "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
                           peer.wait_for_end();
                         },
                         serves(std::string(kHello))});
  Caller host;
  CHECK(host.get(server.url())->text() == "hello");
  CHECK(host.get(server.url())->text() == "hello");
  CHECK(server.connections() == 2);
}

TEST_CASE("an answer that comes later without a question ends the kept connection") {
  std::atomic<bool> sent{false};
  ScriptedServer server({[&](ScriptedPeer& peer) {
                           peer.answer(kHello);
                           peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
                           sent = true;
                           sent.notify_all();
                           peer.wait_for_end();
                         },
                         serves(std::string(kHello))});
  Caller host;
  CHECK(host.get(server.url())->text() == "hello");
  sent.wait(false);
  CHECK(host.get(server.url())->text() == "hello");
}

TEST_CASE("endless heads, fields and bodies end at their limits") {
  const auto flood = [](std::string_view begin, std::string piece) {
    return [begin = std::string(begin), piece = std::move(piece)](ScriptedPeer& peer) {
      peer.answer(begin);
      for (int i = 0; i < 3'000; ++i) peer.send(piece);
    };
  };
  const std::string kilobyte(1'000, 'x');
  ClientOptions options = once();
  options.max_head = 8 * 1024;
  options.max_body = 100'000;
  options.max_headers = 10;
  for (const auto& script :
       {flood("HTTP/1.1 200 OK\r\nX: ", kilobyte), flood("HTTP/1.1 200 OK\r\n", "A: b\r\n"),
        flood("HTTP/1.1 200 OK\r\n\r\n", kilobyte),
        flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
              "3e8\r\n" + kilobyte + "\r\n"),
        flood("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", kilobyte)}) {
    ScriptedServer server(script);
    Caller host(options);
    CHECK(code_of(host.get(server.url())) == Errc::too_large);
  }
}

TEST_CASE("chunk extensions, trailers and interim answers without end are refused") {
  const auto flood = [](std::string_view begin, std::string piece) {
    return [begin = std::string(begin), piece = std::move(piece)](ScriptedPeer& peer) {
      peer.answer(begin);
      for (int i = 0; i < 3'000; ++i) peer.send(piece);
    };
  };
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const auto& script :
       {flood(chunked + "1", ";a=b"), flood(chunked + "0\r\n", "X: y\r\n"),
        flood("HTTP/1.1 100 C\r\n\r\n", "HTTP/1.1 100 C\r\n\r\n"), flood(chunked, "0000000000")}) {
    ScriptedServer server(script);
    Caller host(once());
    CHECK(code_of(host.get(server.url())) == Errc::unavailable);
  }
}

TEST_CASE("a small body that decodes to a huge one is refused") {
  const std::string bomb = deflated(std::string(8'000'000, '\0'));
  ScriptedServer server(serves("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                               std::to_string(bomb.size()) + "\r\n\r\n" + bomb));
  Caller host({.max_body = 1'000'000});
  CHECK(code_of(host.get(server.url())) == Errc::too_large);
}

TEST_CASE("a body that is not in its coding, or cut within it, is an error") {
  const std::string coded = deflated(std::string(1'000, 'a'));
  for (const std::string& body :
       {std::string("no gzip at all"), coded.substr(0, coded.size() / 2), coded + "trailing"}) {
    ScriptedServer server(serves("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                                 std::to_string(body.size()) + "\r\n\r\n" + body));
    Caller host(once());
    CHECK(code_of(host.get(server.url())) == Errc::unavailable);
  }
}

TEST_CASE("a server that dribbles is cut by the timeout of the call") {
  ScriptedServer server([](ScriptedPeer& peer) {
    peer.answer("HTTP/1.1 200 OK\r\n");
    peer.wait_for_end();
  });
  ClientOptions options = once();
  options.timeout = 60ms;
  Caller host(options);
  CHECK(code_of(host.get(server.url())) == Errc::deadline_exceeded);
}

TEST_CASE("a body that stops is cut by the stall timeout") {
  ScriptedServer server([](ScriptedPeer& peer) {
    peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    peer.wait_for_end();
  });
  ClientOptions options = once();
  options.stall_timeout = 40ms;
  Caller host(options);
  CHECK(code_of(host.get(server.url())) == Errc::deadline_exceeded);
}

TEST_CASE("a redirect to an address that is not allowed is refused") {
  for (const std::string_view where :
       {"http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::1]/",
        "http://[::ffff:169.254.169.254]/", "http://0.0.0.0/", "//192.168.1.1/"}) {
    ScriptedServer server(serves(redirect_to(where)));
    Caller host;
    CHECK_MESSAGE(code_of(host.get(server.url())) == Errc::permission_denied, where);
  }
}

TEST_CASE("redirects to other schemes, in circles or to nowhere are errors") {
  for (const std::string_view where : {"/again", "file:///etc/passwd", "javascript:alert(1)",
                                       "http://user@127.0.0.1/", "http://2130706433/"}) {
    ScriptedServer server(serves(redirect_to(where)));
    Caller host;
    CHECK_MESSAGE(code_of(host.get(server.url())) == Errc::unavailable, where);
  }
}

TEST_CASE("circles end after max_redirects") {
  ScriptedServer server(serves(redirect_to("/again")));
  Caller host({.max_redirects = 3});
  CHECK(code_of(host.get(server.url())) == Errc::unavailable);
  CHECK(server.count("GET ") == 4);
}

TEST_CASE("credentials stay with the origin they were given for, and don't come back") {
  ScriptedServer other(serves(std::string(kHello)));
  ScriptedServer server(serves(redirect_to(other.url("/over"))));
  Caller host;
  ClientRequest request(Method::get, server.url("/start"));
  request.bearer("secret-1").header("Cookie", "secret-2").credential("X-Api-Key", "secret-3");
  request.header("X-Plain", "plain");
  REQUIRE(host.send(request).ok());
  CHECK(server.count("secret-") == 3);
  CHECK(other.count("secret-") == 0);
  CHECK(other.count("X-Plain: plain") == 1);
}

TEST_CASE("a HEAD leaves its body behind when 303 sends it to another origin") {
  ScriptedServer other(serves("HTTP/1.1 200 OK\r\n\r\n"));
  ScriptedServer server([&](ScriptedPeer& peer) {
    peer.answer("HTTP/1.1 303 X\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " +
                other.url() + "\r\n\r\n");
    peer.wait_for_end();
  });
  Caller host;
  ClientRequest request(Method::head, server.url());
  request.body("payload", "text/plain");
  REQUIRE(host.send(request).ok());
  CHECK(server.count("Content-Length: 7") == 1);
  CHECK(other.count("HEAD ") == 1);
  CHECK(other.count("Content-") == 0);
}

TEST_CASE("a body does not follow a redirect to another origin") {
  ScriptedServer other(serves(std::string(kHello)));
  ScriptedServer server([&](ScriptedPeer& peer) { peer.answer(redirect_to(other.url(), 307)); });
  Caller host;
  ClientRequest request(Method::post, server.url());
  request.body("payload", "text/plain");
  const auto answer = host.send(request);
  REQUIRE(answer.ok());
  CHECK(answer->status() == 307);
  CHECK(other.connections() == 0);
}

TEST_CASE("loopback is refused unless it is allowed, by whatever name") {
  ScriptedServer server(serves(std::string(kHello)));
  const std::string port = std::to_string(server.port());
  HostResolver resolve = [](const std::string& host) -> Result<std::vector<std::string>> {
    if (host == "none.example") return std::vector<std::string>{};
    if (host == "rebound.example") return std::vector<std::string>{"169.254.169.254", "127.0.0.1"};
    return std::vector<std::string>{"127.0.0.1"};
  };
  Caller strict({.allow_addresses = {"192.0.2.0/24"}, .resolve = resolve});
  for (const std::string host : {"127.0.0.1", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
                                 "inner.example", "rebound.example"}) {
    const std::string url = "http://" + host + ":" + port + "/";
    CHECK_MESSAGE(code_of(strict.get(url)) == Errc::permission_denied, host);
  }
  CHECK(code_of(strict.get("http://none.example/")) == Errc::unavailable);
  CHECK(server.connections() == 0);
  Caller open({.allow_addresses = {"127.0.0.0/8"}, .resolve = resolve});
  CHECK(open.get("http://inner.example:" + port + "/").ok());
  CHECK(open.get("http://rebound.example:" + port + "/").ok());  // by its permitted address
  CHECK(server.count("Host: inner.example:" + port) == 1);
}

TEST_CASE("the next address is tried when one refuses") {
  ScriptedServer server(serves(std::string(kHello)));
  HostResolver resolve = [](const std::string&) {
    return Result<std::vector<std::string>>(
        std::vector<std::string>{"127.0.0.2", "127.0.0.3", "127.0.0.1"});
  };
  Caller host({.resolve = resolve});
  CHECK(host.get("http://a.example:" + std::to_string(server.port()) + "/").ok());
}

TEST_CASE("a caller in a hurry does not make others look up again") {
  const FullListener full;
  std::atomic<int> lookups{0};
  HostResolver resolve = [&](const std::string&) -> Result<std::vector<std::string>> {
    ++lookups;
    return std::vector<std::string>{"127.0.0.1", "127.0.0.1"};
  };
  Caller host({.resolve = resolve, .retry = {.attempts = 1}});
  const std::string url = "http://full.example:" + std::to_string(ntohs(full.address.sin_port));
  for (int i = 0; i < 2; ++i) {
    const Deadline soon = Deadline::after(host.runtime.clock().now(), 50ms);
    CHECK(code_of(host.get(url, Context::background().with_deadline(soon))) ==
          Errc::deadline_exceeded);
  }
  CHECK(lookups == 1);
}

TEST_CASE("a name that cannot be resolved in time is unavailable, and holds nobody up") {
  std::atomic<bool> released{false};
  HostResolver resolve = [&](const std::string&) -> Result<std::vector<std::string>> {
    released.wait(false);
    return Error(Errc::unavailable, "no");
  };
  ClientOptions options = once();
  options.resolve = resolve;
  options.connect_timeout = 30ms;
  Caller host(options);
  CHECK(code_of(host.get("http://slow.example/")) == Errc::unavailable);
  released = true;
  released.notify_all();
}

TEST_CASE("options that cannot work are ConfigErrors that name them") {
  Runtime runtime;
  const std::vector<std::pair<const char*, ClientOptions>> bad{
      {"name", {.name = ""}},
      {"name", {.name = "a\"b"}},
      {"allow_addresses", {.allow_addresses = {"everything"}}},
      {"max_connections", {.max_connections = 0}},
      {"max_lookups", {.max_lookups = 1'000'000}},
      {"keep_addresses", {.keep_addresses = -1ms}},
      {"timeout", {.timeout = 0ms}},
      {"stall_timeout", {.stall_timeout = -1ms}},
      {"max_head", {.max_head = 10}},
      {"max_redirects", {.max_redirects = 21}},
      {"user_agent", {.user_agent = "a\r\nb"}},
      {"retry.attempts", {.retry = {.attempts = 0}}},
      {"retry.budget", {.retry = {.budget = 1.5}}},
      {"breaker.failures", {.breaker = {.window = 2, .failures = 3}}},
      {"tls.ca", {.tls = {.ca = "/nowhere/ca.pem"}}},
      {"tls.certificate", {.tls = {.certificate = "a.pem"}}}};
  for (const auto& one : bad) {
    const char* const option = one.first;
    const ClientOptions& options = one.second;
    try {
      const Client client(runtime, options);
      FAIL_CHECK(option);
    } catch (const ConfigError& error) {
      CHECK_MESSAGE(std::string(error.what()).find(option) != std::string::npos, error.what());
    }
  }
}

}  // namespace
}  // namespace aiserve::http
