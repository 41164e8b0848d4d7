// Streamed requests of a whole server, on simulated time.
#include "aiserve/http/body_reader.hpp"

#include <doctest/doctest.h>

#include "unit/http/client.hpp"
#include "unit/http/gzip.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

std::string post_head(std::size_t length, std::string_view fields = "") {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

struct Reading {
  std::size_t bytes = 0;
  std::size_t most = 0;  // of one read
  std::optional<Error> error;
  bool ended = false;
};

// Reads all there is and answers with its size.
Async<Response> read_all(BodyReader& body, Reading& seen) {
  for (;;) {
    Result<Bytes> part = co_await body.read();
    if (!part.ok()) {
      seen.error = part.error();
      co_return part.error();
    }
    if (part->empty()) break;
    seen.bytes += part->size();
    seen.most = std::max(seen.most, part->size());
  }
  const Result<Bytes> again = co_await body.read();
  seen.ended = again.ok() && again->empty();
  co_return text(std::to_string(seen.bytes));
}

TEST_CASE("a handler reads its body as it comes, in either framing, or none") {
  Simulation s;
  Reading seen;
  s.server.post("/", [&](const Context&, const Request& request, BodyReader& body) {
    CHECK(request.body().empty());
    return read_all(body, seen);
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send(post_head(5) + "ab");
  REQUIRE(s.run_until([&] { return seen.bytes == 2; }));
  client.send("cde");
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK(client.reply().body == "5");
  CHECK(seen.ended);
  seen = {};
  client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK(client.reply().body == "3");
  seen = {};
  client.send(post_head(0));
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK(client.reply().body == "0");
  CHECK(seen.ended);
}

TEST_CASE("a client that expects 100 Continue gets it when its handler reads") {
  Simulation s;
  Reading seen;
  s.server.post("/", [&](const Context& ctx, const Request&, BodyReader& body) -> Async<Response> {
    (void)co_await sleep(ctx, 5s);
    co_return co_await read_all(body, seen);
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send(post_head(2, "Expect: 100-continue\r\n"));
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.settle();
  CHECK_FALSE(client.pending());
  s.sim.advance(6s);
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK(client.wait_for("HTTP/1.1 100 Continue\r\n\r\n"));
  client.send("ab");
  REQUIRE(s.run_until([&] { return seen.ended; }));
  CHECK(client.wait_for("\r\n\r\n2"));
}

TEST_CASE("a handler that does not read stops its client, and all of the body comes when it does") {
  constexpr std::size_t kBody = 8'000'000;
  Simulation s({.stream_buffer = 64 * 1024});
  Reading seen;
  bool go = false;
  s.server.post("/",
                [&](const Context& ctx, const Request&, BodyReader& body) -> Async<Response> {
                  while (!go) (void)co_await sleep(ctx, 1s);
                  co_return co_await read_all(body, seen);
                },
                {.timeout = 0ms});
  s.sim.start();
  RawClient client(s.server.port());
  client.send(post_head(kBody));
  std::size_t sent = 0;
  const std::string piece(100'000, 'b');
  const auto push = [&] {
    while (sent < kBody) {
      const std::size_t n = client.send_some(std::string_view(piece).substr(0, kBody - sent));
      if (n == 0) break;
      sent += n;
    }
  };
  for (int i = 0; i < 50; ++i) {
    push();
    s.settle();
  }
  CHECK(sent < kBody);
  s.sim.advance(100s);  // longer than body_timeout: the client is not to blame
  CHECK(s.server.connections() == 1);
  go = true;
  s.sim.advance(1s);
  REQUIRE(s.run_until([&] {
    push();
    return seen.ended;
  }));
  CHECK(seen.bytes == kBody);
  CHECK(seen.most <= (64 + 256) * 1024);
  CHECK(client.reply().body == std::to_string(kBody));
}

TEST_CASE("a read that waits ends when its client goes, its deadline passes or its body is bad") {
  const auto run = [](std::string_view sends, auto then) {
    auto s = std::make_unique<Simulation>();
    Reading seen;
    s->server.post(
        "/", [&](const Context&, const Request&, BodyReader& body) { return read_all(body, seen); },
        {.timeout = 10s});
    s->sim.start();
    RawClient client(s->server.port());
    client.send(sends);
    REQUIRE(s->run_until([&] { return s->server.in_flight() == 1 || seen.error; }));
    then(*s, client);
    REQUIRE(s->run_until([&] { return seen.error.has_value() && s->server.in_flight() == 0; }));
    return std::pair(seen.error->code(), client.reply().status);
  };
  const auto nothing = [](Simulation&, RawClient&) {};
  const auto kill = [](Simulation&, RawClient& client) { client.stop_sending(); };
  const auto wait = [](Simulation& s, RawClient&) { s.sim.advance(11s); };
  const std::string bad =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nz";
  CHECK(run(post_head(5), kill) == std::pair(Errc::cancelled, 0));
  CHECK(run(post_head(5), wait) == std::pair(Errc::deadline_exceeded, 504));
  CHECK(run(bad, nothing) == std::pair(Errc::malformed, 400));
}

TEST_CASE("a second read while one waits is refused") {
  Simulation s;
  Errc second = Errc::internal;
  s.server.post("/", [&](const Context& ctx, const Request&, BodyReader& body) -> Async<Response> {
    const auto waits = [&](const Context&) { return body.read(); };
    const auto comes_too = [&](const Context&) -> Async<void> {
      const Result<Bytes> part = co_await body.read();
      second = part.ok() ? Errc::internal : part.error().code();
      co_return success();
    };
    const auto both = co_await all(ctx, waits, comes_too);
    co_return text(std::get<0>(both.value()).to_string());
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send(post_head(1));
  REQUIRE(s.run_until([&] { return second == Errc::conflict; }));
  client.send("b");
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK(client.reply().body == "b");
}

// What a handler that reads all of a coded body has seen, and the answer.
struct Decoding {
  Reading seen;
  Reply reply;
};

Decoding send_coded(std::string_view coding, std::string_view body, std::size_t slice) {
  Simulation s({.stream_buffer = 64 * 1024});
  Decoding result;
  s.server.post("/", [&](const Context&, const Request&, BodyReader& reader) {
    return read_all(reader, result.seen);
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send(post_head(body.size(), "Content-Encoding: " + std::string(coding) + "\r\n"));
  while (!body.empty()) {
    client.send(body.substr(0, slice));
    body.remove_prefix(std::min(slice, body.size()));
    s.settle();
  }
  REQUIRE(s.run_until([&] { return client.pending(); }));
  result.reply = client.reply();
  return result;
}

constexpr std::size_t kAtOnce = static_cast<std::size_t>(-1);

TEST_CASE("a body in gzip or deflate is decoded while it comes, as much as there is room for") {
  const std::string text(3'000'000, 't');
  for (const int bits : {kGzip, kZlib}) {
    const std::string coded = deflated(text, bits);
    for (const std::size_t slice : {std::size_t{100}, kAtOnce}) {
      const Decoding all = send_coded(bits == kGzip ? "gzip" : "deflate", coded, slice);
      CHECK(all.reply.body == "3000000");
      CHECK(all.seen.ended);
      CHECK(all.seen.most < (64 + 16) * 1024);
    }
  }
  CHECK(send_coded("gzip", deflated("one ") + deflated("two"), 1).reply.body == "7");
  CHECK(send_coded("gzip", deflated(""), kAtOnce).reply.body == "0");
  CHECK(send_coded("identity", "plain", kAtOnce).reply.body == "5");
}

TEST_CASE("a coded body that is broken, cut short or a bomb is an error of read()") {
  const std::string coded = deflated(std::string(1000, 'x'));
  for (const std::string& bad : {std::string("no gzip at all"), coded.substr(0, coded.size() - 1),
                                 coded + "junk", std::string("\x1f")}) {
    const Decoding broken = send_coded("gzip", bad, kAtOnce);
    CHECK(broken.reply.status == 400);
    REQUIRE(broken.seen.error);
    CHECK(broken.seen.error->code() == Errc::malformed);
  }
  const std::string bomb = deflated(std::string(100'000'000, '\0'));
  const Decoding large = send_coded("gzip", bomb, kAtOnce);
  CHECK(large.reply.status == 413);
  CHECK(large.seen.bytes <= CompressionOptions().max_decoded);
  for (const std::string_view coding : {"br", "gzip, gzip", "nonsense"}) {
    CHECK(send_coded(coding, "x", kAtOnce).reply.status == 415);
  }
}

TEST_CASE("hooks answer before the body is read, and the handler does not run") {
  Simulation s;
  bool ran = false;
  s.server.before(
      [](Context&, const Request&) -> Result<void> { return Error(Errc::unauthenticated, "no"); });
  s.server.post("/", [&](const Context&, const Request&, BodyReader&) -> Async<Response> {
    ran = true;
    co_return text("x");
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send(post_head(1'000'000, "Expect: 100-continue\r\n"));
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK(client.reply().status == 401);
  CHECK_FALSE(ran);
}

Async<void> echo(const Context&, const Request&, BodyReader& body, BodyWriter& stream) {
  for (;;) {
    Result<Bytes> part = co_await body.read();
    if (!part.ok()) co_return part.error();
    if (part->empty()) co_return success();
    const Bytes bytes = *part;
    if (Result<void> sent = co_await stream.write(bytes); !sent) co_return sent;
  }
}

TEST_CASE("a handler may write its response while it reads the request") {
  Simulation s;
  s.server.post("/", echo);
  s.sim.start();
  RawClient client(s.server.port());
  client.send(post_head(6, "Expect: 100-continue\r\n"));
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK(client.wait_for("100 Continue\r\n\r\n"));
  client.send("abc");
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK(client.wait_for("3\r\nabc\r\n"));
  client.send("def");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 0; }));
  CHECK(client.wait_for("3\r\ndef\r\n0\r\n\r\n"));
}

TEST_CASE("a bad body cuts off the response that has begun") {
  Simulation s;
  s.server.post("/", echo);
  s.sim.start();
  RawClient client(s.server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  REQUIRE(s.run_until([&] { return client.pending(); }));
  client.send("no size\r\n");
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 0; }));
  CHECK(client.wait_for_end());
  CHECK(client.received().ends_with("\r\n\r\n3\r\nabc\r\n"));
}

}  // namespace
}  // namespace aiserve::http
