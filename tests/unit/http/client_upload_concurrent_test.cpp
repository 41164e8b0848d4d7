// Bodies that are made while they are sent, answers that come before all of a request was sent, and
// calls that are made once.
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <doctest/doctest.h>

#include "aiserve/http/server.hpp"
#include "unit/http/client_host.hpp"
#include "unit/http/scripted_server.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
constexpr std::string_view kTooLarge = "HTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\nno";
constexpr std::string_view kBusy = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n";

// Of the answer, or what went wrong.
std::string text_of(const Result<ClientResponse>& came) {
  return came.ok() ? std::string(came->text()) : came.error().to_string();
}

// What a script waits for.
class Event {
 public:
  void set() {
    happened_ = true;
    happened_.notify_all();
  }
  void wait() { happened_.wait(false); }

 private:
  std::atomic<bool> happened_{false};
};

// However the test ends, before its server does.
struct SetAtEnd {
  explicit SetAtEnd(Event& what) : event(what) {}
  ~SetAtEnd() { event.set(); }
  SetAtEnd(const SetAtEnd&) = delete;
  Event& event;
};

struct Caller : ClientHost {
  explicit Caller(ClientOptions options = {}) : ClientHost(std::move(options)) { start(); }
};

// Pieces that are given one after the other; counts what was asked of it.
struct Pieces {
  explicit Pieces(std::vector<std::string> texts) : all(std::move(texts)) {}

  ClientBody once() {
    return {.next = [this](const Context&) { return next(); }};
  }
  ClientBody again() {
    ClientBody body = once();
    body.rewind = [this]() -> Result<void> {
      at = 0;
      ++rewinds;
      return success();
    };
    return body;
  }
  Async<Bytes> next() {
    ++asked;
    if (at == all.size()) co_return Bytes();
    co_return Bytes::copy(std::string_view(all[at++]));
  }

  std::vector<std::string> all;
  std::size_t at = 0;
  int asked = 0;
  int rewinds = 0;
};

// 64 KiB at a time, without end, each a little later than it could be.
struct Endless {
  ClientBody body() {
    return {.next = [this](const Context& ctx) { return next(ctx); }};
  }
  Async<Bytes> next(const Context& ctx) {
    ++asked;
    if (Result<void> slept = co_await sleep(ctx, 1ns); !slept) co_return slept.error();
    co_return Bytes::copy(std::string(64 * 1024, 'x'));
  }
  int asked = 0;
};

ClientRequest upload(Method method, const std::string& url, ClientBody body) {
  ClientRequest request(method, url);
  request.body(std::move(body), "text/plain");
  return request;
}

// Takes a body in chunks and says what it got.
void answer_with_chunks(ScriptedPeer& peer) {
  if (peer.read_head().empty()) return;
  const std::string body = peer.receive_until("0\r\n\r\n");
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
            body);
}

TEST_CASE("a body of unknown length goes in chunks, one of known length as it is") {
  ScriptedServer chunks([](ScriptedPeer& peer) {
    answer_with_chunks(peer);
    answer_with_chunks(peer);
  });
  Caller host;
  Pieces pieces({"hello ", std::string(20, 'w')});
  const auto answer = host.send(upload(Method::post, chunks.url(), pieces.once()));
  REQUIRE(answer.ok());
  CHECK(answer->text() == "6\r\nhello \r\n14\r\n" + std::string(20, 'w') + "\r\n0\r\n\r\n");
  CHECK(chunks.count("Transfer-Encoding: chunked\r\n") == 1);
  CHECK(chunks.count("Content-Length") == 0);
  CHECK(pieces.asked == 3);
  Pieces none({});
  CHECK(text_of(host.send(upload(Method::post, chunks.url(), none.again()))) == "0\r\n\r\n");

  ScriptedServer counted([](ScriptedPeer& peer) {
    if (peer.read_head().empty()) return;
    if (peer.receive_until("end") == "the end") peer.send(kHello);
  });
  ScriptedServer empty([](ScriptedPeer& peer) { peer.answer(kHello); });
  Pieces known({"the ", "end"});
  ClientBody body = known.once();
  body.length = 7;
  CHECK(text_of(host.send(upload(Method::post, counted.url(), body))) == "hello");
  CHECK(counted.count("Content-Length: 7\r\n") == 1);
  CHECK(known.asked == 2);  // no more than was said
  body.length = 0;
  CHECK(text_of(host.send(upload(Method::post, empty.url(), body))) == "hello");
  CHECK(known.asked == 2);
}

TEST_CASE("large bodies in many pieces arrive whole at a server that streams, plain and in order") {
  Caller host;
  Runtime elsewhere;
  Server server(elsewhere, {.address = "127.0.0.1", .port = 0, .max_body = 64 << 20});
  server.post("/echo",
              [](const Context&, const Request& request) { return bytes(request.body_bytes()); });
  elsewhere.start();
  std::vector<std::string> texts;
  std::string whole;
  for (int i = 0; i < 500; ++i) {
    texts.push_back(
        std::string(static_cast<std::size_t>(1 + i * 37), static_cast<char>('a' + i % 26)));
    whole += texts.back();
  }
  Pieces pieces(texts);
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/echo";
  const auto answer = host.send(upload(Method::post, url, pieces.once()));
  REQUIRE(answer.ok());
  CHECK(answer->text() == whole);
}

TEST_CASE("a source is asked for no more than the network takes") {
  Event over;
  ScriptedServer deaf([&](ScriptedPeer& peer) {
    if (!peer.read_head().empty()) over.wait();
  });
  const SetAtEnd end(over);
  Caller host({.stall_timeout = 50ms, .retry = {.attempts = 1}});
  Endless endless;
  const auto answer = host.send(upload(Method::post, deaf.url(), endless.body()));
  CHECK(code_of(answer) == Errc::deadline_exceeded);
  CHECK(endless.asked < 1000);  // what the kernel holds, 64 KiB each
}

TEST_CASE("who refuses before all was sent is heard, and sent no more") {
  Event over;
  const auto refuses = [&](ScriptedPeer& peer) {
    if (peer.read_head().empty()) return;
    peer.send(kTooLarge);
    over.wait();  // without taking anything of the body
  };
  ScriptedServer server(refuses);
  const SetAtEnd end(over);
  Caller host({.breaker = {.failures = 0}});
  Endless endless;
  const auto streamed = host.send(upload(Method::post, server.url(), endless.body()));
  REQUIRE(streamed.ok());
  CHECK(streamed->status() == 413);
  CHECK(streamed->text() == "no");
  ClientRequest large(Method::post, server.url());
  large.body(std::string(100'000'000, 'x'), "text/plain");
  const auto answer = host.send(large);
  REQUIRE(answer.ok());
  CHECK(answer->status() == 413);
  CHECK(server.connections() == 2);  // neither can be used again
}

// A little at a time, without end: what the kernel holds is never full.
ClientBody trickle() {
  return {.next = [](const Context& ctx) -> Async<Bytes> {
    if (Result<void> slept = co_await sleep(ctx, 1ms); !slept) co_return slept.error();
    co_return Bytes::copy(std::string_view("a little"));
  }};
}

TEST_CASE("who refuses early and goes on taking the body is heard, and sent no more") {
  ScriptedServer server([](ScriptedPeer& peer) {
    if (peer.read_head().empty()) return;
    peer.send(kTooLarge);
    peer.wait_for_end();
  });
  Caller host({.breaker = {.failures = 0}});
  const auto answer = host.send(upload(Method::post, server.url(), trickle()));
  REQUIRE(answer.ok());
  CHECK(answer->status() == 413);
  CHECK(answer->text() == "no");
}

TEST_CASE("a stream is heard while a body without end is sent") {
  ScriptedServer server([](ScriptedPeer& peer) {
    if (peer.read_head().empty()) return;
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nheard\r\n");
    peer.wait_for_end();
  });
  Caller host;
  const ClientRequest request = upload(Method::post, server.url(), trickle());
  const auto listen = [&](const Context& ctx) -> Async<Bytes> {
    Result<ClientStream> stream = co_await host.client.open(ctx, request);
    if (!stream.ok()) co_return stream.error();
    co_return co_await stream->read(ctx);
  };
  const Result<Bytes> heard = block_on(host.runtime, listen(Context::background()));
  REQUIRE(heard.ok());
  CHECK(heard->text() == "heard");
}

TEST_CASE("a call ends when its caller does, whether or not its body ever waits") {
  ScriptedServer server([](ScriptedPeer& peer) {
    if (!peer.read_head().empty()) peer.wait_for_end();
  });
  Caller host;
  const Context ctx = Context::background().child();
  int asked = 0;
  const ClientBody body{.next = [&](const Context&) -> Async<Bytes> {
    if (++asked == 10) ctx.cancel(CancelReason::user);
    co_return Bytes::copy(std::string_view("x"));
  }};
  CHECK(code_of(host.send(upload(Method::post, server.url(), body), ctx)) == Errc::cancelled);
  CHECK(asked == 10);
}

TEST_CASE("a body that never waits leaves others their turn") {
  ScriptedServer server([](ScriptedPeer& peer) {
    if (!peer.read_head().empty()) peer.wait_for_end();
  });
  Caller host;
  std::atomic<bool> had_turn{false};
  int asked = 0;
  const ClientBody body{.next = [&](const Context&) -> Async<Bytes> {
    const auto here = co_await boost::asio::this_coro::executor;
    if (++asked == 1) boost::asio::post(here, [&] { had_turn = true; });
    if (had_turn || asked == 1000) co_return Error(Errc::unavailable, "enough");
    co_return Bytes::copy(std::string_view("x"));
  }};
  CHECK(host.send(upload(Method::post, server.url(), body)).error().message() == "enough");
  CHECK(had_turn);
  CHECK(asked < 1000);
}

TEST_CASE("a source that has failed is not asked again, whoever reads") {
  ScriptedServer server([](ScriptedPeer& peer) {
    if (peer.read_head().empty()) return;
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.wait_for_end();
  });
  Caller host;
  const Context hurried = Context::background().child();
  bool reading = false;
  int asked = 0;  // by then
  const ClientBody body{.next = [&](const Context& ctx) -> Async<Bytes> {
    if (reading && ++asked == 2) co_return Bytes();
    // A piece is taken, then its reader has no more patience.
    if (reading) hurried.cancel(CancelReason::user);
    if (Result<void> slept = co_await sleep(ctx, 1ms); !slept) co_return slept.error();
    co_return Bytes::copy(std::string_view("x"));
  }};
  const ClientRequest request = upload(Method::post, server.url(), body);
  const auto read_twice = [&](const Context& ctx) -> Async<Bytes> {
    Result<ClientStream> stream = co_await host.client.open(ctx, request);
    if (!stream.ok()) co_return stream.error();
    reading = true;
    const Result<Bytes> first = co_await stream->read(hurried);
    if (first.ok()) co_return Error(Errc::internal, "nothing was to be read");
    co_return co_await stream->read(ctx);
  };
  const Context patient =
      Context::background().with_deadline(Deadline::after(host.runtime.clock().now(), 5s));
  const Result<Bytes> second = block_on(host.runtime, read_twice(patient));
  CHECK(second.error().code() == Errc::cancelled);
  CHECK(asked == 1);
}

TEST_CASE("our own server's 413 is heard over plain connections") {
  Caller host({.breaker = {.failures = 0}});
  Runtime elsewhere;
  Server server(elsewhere, {.address = "127.0.0.1", .port = 0, .max_body = 1024});
  server.post("/", [](const Context&, const Request&) { return text("x"); });
  elsewhere.start();
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
  ClientRequest large(Method::post, url);
  large.body(std::string(50'000'000, 'x'), "text/plain");
  const auto answer = host.send(large);
  REQUIRE(answer.ok());
  CHECK(answer->status() == 413);
}

// Sends back what it gets while it gets it, and waits until that is taken.
void echo(ScriptedPeer& peer, std::size_t size) {
  if (peer.read_head().empty()) return;
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  for (std::size_t left = size; left != 0;) {
    const std::string part = peer.receive();
    if (part.empty()) return;
    peer.send(part);
    left -= part.size();
  }
}

constexpr std::size_t kLarge = 40'000'000;  // more than the kernel holds

TEST_CASE("an answer is read while the request is still sent") {
  ScriptedServer server([](ScriptedPeer& peer) {
    echo(peer, kLarge);
    peer.answer(kHello);
  });
  Caller host({.max_body = kLarge});
  ClientRequest request(Method::post, server.url());
  const std::string body(kLarge, 'x');
  request.body(body, "text/plain");
  const auto answer = host.send(request);
  REQUIRE(answer.ok());
  CHECK(answer->body().size() == kLarge);
  CHECK(answer->text() == body);
  CHECK(text_of(host.get(server.url())) == "hello");
  CHECK(server.connections() == 1);  // all was sent, all was read: it is kept
}

TEST_CASE("a stream is read while its request is still sent, and made") {
  constexpr std::size_t kParts = 300;
  ScriptedServer server([](ScriptedPeer& peer) { echo(peer, kParts * 65'536); });
  Caller host;
  Pieces pieces(std::vector<std::string>(kParts, std::string(65'536, 'p')));
  ClientBody body = pieces.once();
  body.length = kParts * 65'536;
  const ClientRequest request = upload(Method::post, server.url(), body);
  std::size_t got = 0;
  const auto read = [&](const Context& ctx) -> Async<void> {
    Result<ClientStream> stream = co_await host.client.open(ctx, request);
    if (!stream.ok()) co_return stream.error();
    for (;;) {
      const Result<Bytes> part = co_await stream->read(ctx);
      if (!part.ok()) co_return part.error();
      if (part->empty()) co_return success();
      got += part->size();
    }
  };
  CHECK(block_on(host.runtime, read(Context::background())).ok());
  CHECK(got == kParts * 65'536);
}

TEST_CASE("after an early whole answer the rest is sent all the same") {
  std::string seen;
  Event all_seen;
  {
    ScriptedServer server([&](ScriptedPeer& peer) {
      if (peer.read_head().empty()) return;
      peer.send(kHello);
      seen = peer.receive_until("0\r\n\r\n");
      all_seen.set();
      peer.answer(kHello);
    });
    Caller host;
    Pieces pieces(std::vector<std::string>(200, std::string(65'536, 'p')));
    CHECK(text_of(host.send(upload(Method::post, server.url(), pieces.once()))) == "hello");
    all_seen.wait();
    CHECK(text_of(host.get(server.url())) == "hello");
    CHECK(server.connections() == 1);
  }
  CHECK(seen.ends_with("\r\n0\r\n\r\n"));
  CHECK(seen.size() > 200 * 65'536);
}

TEST_CASE("a source that fails ends the call, and says nothing of the service") {
  ScriptedServer server([](ScriptedPeer& peer) {
    if (!peer.read_head().empty()) peer.wait_for_end();
  });
  ScriptedServer well([](ScriptedPeer& peer) { peer.answer(kHello); });
  Caller host({.breaker = {.window = 1, .failures = 1}});
  const ClientBody fails{.next = [](const Context&) -> Async<Bytes> {
    co_return Error(Errc::unavailable, "the file is gone");
  }};
  const ClientBody throws{.next = [](const Context&) -> Async<Bytes> {
    throw std::runtime_error("no");
    co_return Bytes();
  }};
  Pieces short_of({"abc"});
  ClientBody too_short = short_of.once();
  too_short.length = 4;
  Pieces more({"abc", "de"});
  ClientBody too_long = more.once();
  too_long.length = 4;
  const auto ask = [&](const ClientBody& body) {
    return host.send(upload(Method::put, server.url(), body));
  };
  CHECK(ask(fails).error().message() == "the file is gone");
  CHECK(code_of(ask(throws)) == Errc::internal);
  CHECK(code_of(ask(too_short)) == Errc::invalid_argument);
  CHECK(code_of(ask(too_long)) == Errc::invalid_argument);
  CHECK(code_of(ask(ClientBody{})) == Errc::invalid_argument);
  const std::string opened =
      R"(aiserve_http_client_connections_total{client="client",result="opened"})";
  CHECK(host.metric(opened) == "4");  // each once
  CHECK(host.get(well.url()).ok());
}

TEST_CASE("a body is repeated from its beginning, or not at all") {
  const auto breaks = [](ScriptedPeer& peer) {
    (void)peer.read_head();
    (void)peer.receive();
  };
  const ClientOptions eager{.retry = {.first_pause = 1ms, .longest_pause = 1ms}};
  {
    ScriptedServer server({breaks, answer_with_chunks});
    Caller host(eager);
    Pieces pieces({"ab", "cd"});
    const auto answer = host.send(upload(Method::put, server.url(), pieces.again()));
    REQUIRE(answer.ok());
    CHECK(answer->text() == "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n");
    CHECK(pieces.rewinds == 1);
  }
  ScriptedServer server({breaks, answer_with_chunks});
  Caller host(eager);
  Pieces pieces({"ab", "cd"});
  CHECK(code_of(host.send(upload(Method::put, server.url(), pieces.once()))) == Errc::unavailable);
  CHECK(server.connections() == 1);
}

TEST_CASE("a body that nothing was taken of yet is tried again") {
  Caller host({.retry = {.first_pause = 1ms, .longest_pause = 1ms}});
  Pieces pieces({"ab"});
  CHECK(code_of(host.send(upload(Method::post, "http://127.0.0.1:1/", pieces.once()))) ==
        Errc::unavailable);
  CHECK(pieces.asked == 0);
  CHECK(host.metric(R"(aiserve_http_client_retries_total{client="client",result="made"})") == "2");
}

TEST_CASE("a body that cannot begin anew is redirected to nowhere") {
  const auto moved = [](ScriptedPeer& peer) {
    if (peer.read_head().empty()) return;
    (void)peer.receive_until("0\r\n\r\n");
    peer.send("HTTP/1.1 307 X\r\nContent-Length: 0\r\nLocation: /there\r\n\r\n");
    answer_with_chunks(peer);
  };
  ScriptedServer server({moved, moved});
  Caller host;
  Pieces again({"ab"});
  CHECK(text_of(host.send(upload(Method::post, server.url(), again.again()))) ==
        "2\r\nab\r\n0\r\n\r\n");
  CHECK(again.rewinds == 1);
  CHECK(server.count("POST /there") == 1);
  Pieces once({"ab"});
  CHECK(host.send(upload(Method::post, server.url(), once.once()))->status() == 307);
}

TEST_CASE("a call without retries is made once, and on a connection of its own") {
  ScriptedServer busy([](ScriptedPeer& peer) {
    while (!peer.read_head().empty()) peer.send(kBusy);
  });
  Caller host({.retry = {.first_pause = 1ms, .longest_pause = 1ms}});
  ClientRequest once(Method::get, busy.url());
  once.retries(false);
  for (int i = 0; i < 2; ++i) {
    CHECK(host.send(once)->status() == 503);
    CHECK(busy.connections() == i + 1);
    CHECK(busy.count("GET ") == i + 1);
  }
}

}  // namespace
}  // namespace aiserve::http
