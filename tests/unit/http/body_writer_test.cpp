// Streamed responses of a whole server, on simulated time: real sockets, but nothing moves unless
// the test moves it.
#include "aiserve/http/body_writer.hpp"

#include <doctest/doctest.h>

#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// What `ask` gets from a GET route with this handler, up to the end of the connection or to
// `until`.
template <class F>
std::string answer(F handler, std::string_view ask, std::string_view until = {}) {
  Simulation s;
  s.server.get("/", handler);
  s.sim.start();
  RawClient client(s.server.port());
  client.send(ask);
  s.sim.run_until_idle();
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 0 && client.pending(); }));
  if (until.empty()) {
    CHECK(client.wait_for_end());
  } else {
    CHECK(client.wait_for(until));
  }
  return client.received();
}

Async<void> three_parts(const Context&, const Request&, BodyWriter& stream) {
  for (const char* const part : {"one ", "two ", "three"}) {
    if (Result<void> sent = co_await stream.write(std::string_view(part)); !sent) co_return sent;
  }
  co_return success();
}

TEST_CASE("a handler writes its body part by part") {
  const std::string got = answer(three_parts, kGet, "0\r\n\r\n");
  CHECK(got.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(got.find("Content-Type: application/octet-stream\r\n") != std::string::npos);
  CHECK(got.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(got.ends_with("one two three\r\n0\r\n\r\n"));
}

TEST_CASE("on HTTP/1.0 a streamed body ends with its connection") {
  const std::string got = answer(three_parts, "GET / HTTP/1.0\r\n\r\n");
  CHECK(got.find("Connection: close\r\n") != std::string::npos);
  CHECK(got.find("Transfer-Encoding") == std::string::npos);
  CHECK(got.ends_with("\r\n\r\none two three"));
}

TEST_CASE("HEAD gets the same head and the handler hears that nobody reads") {
  Error told;
  const auto handler = [&](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    const Result<void> sent = co_await stream.write(std::string_view("body"));
    if (!sent.ok()) told = sent.error();
    co_return success();
  };
  const std::string got = answer(handler, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n");
  CHECK(got.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(got.ends_with("\r\n\r\n"));
  CHECK(told.code() == Errc::cancelled);
}

TEST_CASE("the head can be set until the first byte, and a length be named") {
  Errc late = Errc::internal;
  Errc with_body = Errc::internal;
  const auto handler = [&](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    with_body = stream.head(text("x")).error().code();
    Response head(201);
    head.header("Content-Type", "text/csv");
    CHECK(stream.head(head, 4).ok());
    (void)co_await stream.write(std::string_view("a,b\n"));
    late = stream.head(Response()).error().code();
    co_return success();
  };
  const std::string got = answer(handler, kGet, "a,b\n");
  CHECK(got.starts_with("HTTP/1.1 201 Created\r\n"));
  CHECK(got.find("Content-Type: text/csv\r\n") != std::string::npos);
  CHECK(got.find("Content-Length: 4\r\n") != std::string::npos);
  CHECK(with_body == Errc::invalid_argument);
  CHECK(late == Errc::conflict);
}

TEST_CASE("a handler that writes nothing answers with its head") {
  const auto handler = [](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    co_return stream.head(Response(202));
  };
  const std::string got = answer(handler, kGet, "\r\n\r\n");
  CHECK(got.starts_with("HTTP/1.1 202 Accepted\r\n"));
  CHECK(got.find("Content-Length: 0\r\n") != std::string::npos);
}

TEST_CASE("an error before the first byte is an answer, after it a body cut off") {
  const auto before = [](const Context&, const Request&, BodyWriter&) -> Async<void> {
    co_return Error(Errc::not_found, "no such export");
  };
  CHECK(answer(before, kGet, "no such export").starts_with("HTTP/1.1 404 "));
  const auto after = [](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    (void)co_await stream.write(std::string_view("half"));
    throw std::runtime_error("the disk is gone");
  };
  const std::string cut = answer(after, kGet);
  CHECK(cut.starts_with("HTTP/1.1 200 "));
  CHECK(cut.ends_with("\r\n\r\n4\r\nhalf\r\n"));
}

TEST_CASE("a body that ends with its connection and is not complete ends with a reset") {
  Simulation s;
  s.server.get("/", [](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    (void)co_await stream.write(std::string_view("half"));
    co_return Error(Errc::internal, "oops");
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("GET / HTTP/1.0\r\n\r\n");
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK_FALSE(client.wait_for("never"));
  CHECK(client.was_reset());
}

TEST_CASE("exactly the named length is sent, or the connection ends") {
  Errc told = Errc::internal;
  const auto more = [&](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    CHECK(stream.head(Response(), 3).ok());
    (void)co_await stream.write(std::string_view("ab"));
    const Result<void> sent = co_await stream.write(std::string_view("cd"));
    told = sent.ok() ? Errc::internal : sent.error().code();
    co_return success();
  };
  CHECK(answer(more, kGet).ends_with("\r\n\r\nab"));
  CHECK(told == Errc::invalid_argument);
  const auto less = [](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    CHECK(stream.head(Response(), 3).ok());
    (void)co_await stream.write(std::string_view("ab"));
    co_return success();
  };
  CHECK(answer(less, kGet).ends_with("\r\n\r\nab"));
  const auto none = [](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    co_return stream.head(Response(), 3);
  };
  CHECK(answer(none, kGet, "\r\n\r\n").starts_with("HTTP/1.1 500 "));
  CHECK(answer(none, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n")
            .find("Content-Length: 3\r\n") != std::string::npos);
}

TEST_CASE("a streamed 204 has no body, and a head that cannot be sent is a 500") {
  const auto empty = [](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    CHECK(stream.head(no_content()).ok());
    const Result<void> sent = co_await stream.write(std::string_view("x"));
    CHECK_FALSE(sent.ok());
    co_return success();
  };
  const std::string got = answer(empty, kGet, "\r\n\r\n");
  CHECK(got.starts_with("HTTP/1.1 204 "));
  CHECK(got.find("Transfer-Encoding") == std::string::npos);
  const auto bad = [](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
    CHECK(stream.head(Response().header("X", "a\r\nb")).ok());
    co_return co_await stream.write(std::string_view("x"));
  };
  CHECK(answer(bad, kGet, "\r\n\r\n").starts_with("HTTP/1.1 500 "));
}

struct Endless {
  Async<void> operator()(const Context& ctx, const Request&, BodyWriter& stream) {
    const Bytes piece = Bytes::adopt(std::string(10'000, 'e'));
    for (;;) {
      const Result<void> sent = co_await stream.write(piece);
      if (!sent.ok()) {
        ended = sent.error().code();
        reason = ctx.reason();
        co_return sent;
      }
      ++*written;
    }
  }
  std::size_t* written;
  Errc& ended;
  CancelReason& reason;
};

TEST_CASE("a client that does not read stops its handler, and loses its connection in the end") {
  Simulation s;
  std::size_t written = 0;
  Errc ended = Errc::internal;
  CancelReason reason = CancelReason::none;
  s.server.get("/", Endless{&written, ended, reason}, {.timeout = 0ms});
  s.sim.start();
  RawClient client(s.server.port());
  client.send(kGet);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.settle();
  const std::size_t before = written;
  s.sim.advance(10s);
  CHECK(written == before);
  s.sim.advance(25s);
  CHECK(ended == Errc::cancelled);
  CHECK(reason == CancelReason::slow_client);
  CHECK(s.server.connections() == 0);
}

TEST_CASE("a write that waits ends when its client goes or its deadline passes") {
  for (const bool leaves : {true, false}) {
    Simulation s;
    std::size_t written = 0;
    Errc ended = Errc::internal;
    CancelReason reason = CancelReason::none;
    s.server.get("/", Endless{&written, ended, reason}, {.timeout = 10s});
    s.sim.start();
    RawClient client(s.server.port());
    client.send(kGet);
    REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
    s.settle();
    if (leaves) {
      client.kill();
      CHECK(s.run_until([&] { return ended == Errc::cancelled; }));
      CHECK(reason == CancelReason::client_gone);
    } else {
      s.sim.advance(11s);
      CHECK(ended == Errc::deadline_exceeded);
      s.sim.advance(30s);  // what was written may still go out
    }
    CHECK(s.run_until([&] { return s.server.connections() == 0; }));
  }
}

TEST_CASE("a handler that writes after its deadline was answered for writes to nobody") {
  Simulation s;
  Errc told = Errc::internal;
  s.server.get("/",
               [&](const Context&, const Request&, BodyWriter& stream) -> Async<void> {
                 const Context own = Context::background();
                 (void)co_await sleep(own, 1min);
                 const Result<void> sent = co_await stream.write(std::string_view("late"));
                 if (!sent.ok()) told = sent.error().code();
                 co_return success();
               },
               {.timeout = 5s});
  s.sim.start();
  RawClient client(s.server.port());
  client.send(kGet);
  REQUIRE(s.run_until([&] { return s.server.in_flight() == 1; }));
  s.sim.advance(6s);
  CHECK(client.reply().status == 504);
  CHECK(client.wait_for_end());
  s.sim.advance(1min);
  CHECK(told == Errc::deadline_exceeded);
  CHECK(s.server.in_flight() == 0);
}

TEST_CASE("two writes at once are refused, a piece larger than the buffer is not") {
  Simulation s;
  Errc second = Errc::internal;
  bool large_sent = false;
  s.server.get("/", [&](const Context& ctx, const Request&, BodyWriter& stream) -> Async<void> {
    const Bytes large = Bytes::adopt(std::string(30'000'000, 'l'));
    large_sent = (co_await stream.write(large)).ok();
    const auto waits = [&](const Context&) { return stream.write(large); };
    const auto comes_too = [&](const Context&) -> Async<void> {
      const Result<void> sent = co_await stream.write(large);
      second = sent.ok() ? Errc::internal : sent.error().code();
      co_return success();
    };
    (void)co_await all(ctx, waits, comes_too);
    co_return success();
  });
  s.sim.start();
  RawClient client(s.server.port());
  client.send(kGet);
  REQUIRE(s.run_until([&] { return second == Errc::conflict; }));
  CHECK(large_sent);
  client.kill();
  CHECK(s.run_until([&] { return s.server.in_flight() == 0; }));
}

TEST_CASE("a stream_buffer out of range is a configuration error") {
  Simulation s;
  CHECK_THROWS_AS(s.server.get("/", three_parts, {.stream_buffer = 1023}), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
