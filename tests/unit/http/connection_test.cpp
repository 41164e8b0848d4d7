#include "http/connection.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "unit/http/connection_fixture.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;
using Statuses = std::vector<int>;

TEST_CASE("a request is answered and the connection kept") {
  ConnectionFixture f;
  f.feed(get("/"));
  CHECK(f.output ==
        "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 4\r\n\r\nroot");
  CHECK_FALSE(f.closed());
  CHECK_FALSE(f.connection->busy());
  CHECK(f.resources.exchanges.in_use() == 0);
}

TEST_CASE("the outcome doesn't depend on how the bytes are cut") {
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;x=1\r\n world\r\n0\r\nHost: evil\r\n\r\n";
  const std::string all = get("/") + post("/echo", "one") + "\r\n" + chunked + get("/big") +
                          post("/echo", std::string(20'000, 'x')) + post("/early", "skipped") +
                          get("/", "Connection: close\r\n") + get("/");
  ConnectionFixture whole;
  whole.feed(all);
  REQUIRE(whole.statuses() == Statuses{200, 200, 200, 200, 200, 403, 200});
  CHECK(whole.bodies()[2] == "hello world");
  CHECK(whole.closed());
  for (const std::size_t slice : {1U, 2U, 3U, 7U, 64U, 1000U, 8191U, 16384U}) {
    ConnectionFixture sliced;
    sliced.feed(all, slice);
    CHECK(sliced.output == whole.output);
    CHECK(sliced.handled == whole.handled);
    CHECK(sliced.closed());
    CHECK(sliced.resources.exchanges.in_use() == 0);
  }
  // Cut once at every place.
  const std::string few = get("/") + post("/echo", "one") + chunked + get("/");
  for (std::size_t cut = 0; cut < few.size(); ++cut) {
    ConnectionFixture f;
    f.feed(std::string_view(few).substr(0, cut));
    f.feed(std::string_view(few).substr(cut));
    CHECK(f.statuses() == Statuses{200, 200, 200, 200});
    CHECK(f.handled.size() == 4);
  }
}

TEST_CASE("pipelined requests are worked on side by side and answered in their order") {
  ConnectionFixture f;
  f.feed(get("/slow/a") + get("/slow/b") + get("/") + get("/slow/c"));
  CHECK(f.handled.size() == 4);
  CHECK(f.output.empty());
  f.finish("c");
  f.finish("b");
  CHECK(f.output.empty());
  f.finish("a");
  CHECK(f.bodies() == Strings{"a", "b", "root", "c"});
}

TEST_CASE("a connection that is read while another one's handler runs leaves no head behind") {
  ConnectionFixture f;
  Connection other(f, f.limits, f.resources, f.now);
  const std::string next = "PUT /b HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string bytes = get("/a") + get("/a");
  REQUIRE(get("/a").size() == next.size());
  f.meanwhile = [&] {
    other.feed(bytes, f.now);
    bytes.replace(0, next.size(), next);  // as a buffer that is read into again
  };
  f.feed(get("/") + next);
  const std::vector<std::string> all{"GET /", "GET /a", "GET /a", "PUT /b"};
  CHECK(f.handled == all);
}

TEST_CASE("an unsafe request waits for those before it and those behind it wait") {
  ConnectionFixture f;
  f.feed(get("/slow/a") + post("/slow/b", "x") + get("/slow/c"));
  CHECK(f.handled == Strings{"GET /slow/a"});
  f.finish("a");
  CHECK(f.handled == Strings{"GET /slow/a", "POST /slow/b"});
  f.finish("b");
  CHECK(f.handled.size() == 3);
  f.finish("c");
  CHECK(f.bodies() == Strings{"a", "b", "c"});
}

TEST_CASE("at most 16 requests are worked on, the rest waits and reading stops at its mark") {
  ConnectionFixture f({.read_ahead = 500});
  std::string all;
  for (int i = 0; i < 40; ++i) all += get("/slow/" + std::to_string(i));
  f.feed(all);
  CHECK(f.handled.size() == 16);
  CHECK_FALSE(f.connection->wants_read());
  for (int i = 0; i < 40; ++i) f.finish(std::to_string(i));
  CHECK(f.handled.size() == 40);
  CHECK(f.bodies().size() == 40);
  CHECK(f.bodies().back() == "39");
  CHECK(f.connection->wants_read());
}

TEST_CASE("parsing stops while much output waits and goes on when it has left") {
  ConnectionFixture f({.out_bytes = 150'000});
  std::string all;
  for (int i = 0; i < 10; ++i) all += get("/big");
  f.connection->feed(all, f.now);
  CHECK(f.handled.size() == 2);
  f.take_output();
  CHECK(f.handled.size() == 10);
  CHECK(f.bodies().size() == 10);
}

TEST_CASE("a large body is read straight into its own aligned block") {
  ConnectionFixture f;
  const std::string body(100'000, 'x');
  const std::string head = "POST /slow/a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
  f.feed(head + body.substr(0, 10));
  std::size_t sent = 10;
  while (!f.connection->body_target().empty()) {
    const auto target = f.connection->body_target();
    CHECK(target.size() == body.size() - sent);
    const std::size_t n = std::min<std::size_t>(target.size(), 9'999);
    std::copy_n(reinterpret_cast<const std::byte*>(body.data()), n, target.data());
    f.connection->body_received(n, f.now);
    sent += n;
  }
  f.feed(std::string_view(body).substr(sent));
  REQUIRE(f.suspended.contains("a"));
  const Request& request = f.suspended["a"]->request;
  CHECK(request.text() == body);
  CHECK(reinterpret_cast<std::uintptr_t>(request.body().data()) % 64 == 0);
  CHECK(request.body_bytes().data() == request.body().data());
  f.finish("a");
}

TEST_CASE("a suspended handler may keep every view of its request") {
  ConnectionFixture f;
  f.feed(post("/slow/a?q=1", "body", "X-Long: " + std::string(300, 'h') + "\r\n"));
  const Request& request = f.suspended["a"]->request;
  const std::string_view views[] = {request.path(), request.query(), request.header("x-long"),
                                    request.text(), request.host()};
  f.feed(std::string(500, 'G'));
  CHECK(views[0] == "/slow/a");
  CHECK(views[1] == "q=1");
  CHECK(views[2] == std::string(300, 'h'));
  CHECK(views[3] == "body");
  CHECK(views[4] == "a");
  f.finish("a");
}

TEST_CASE("an early answer skips a small body and ends the connection before a large one") {
  ConnectionFixture f;
  f.feed(post("/early", "small") + get("/"));
  CHECK(f.statuses() == Statuses{403, 200});
  CHECK(f.handled == Strings{"GET /"});
  ConnectionFixture waits;
  const std::string early = post("/early", "small");
  waits.feed(early.substr(0, early.size() - 3));
  CHECK(waits.statuses() == Statuses{403});
  waits.feed(early.substr(early.size() - 3) + get("/"));
  CHECK(waits.statuses() == Statuses{403, 200});
  ConnectionFixture large;
  large.feed(post("/early", std::string(100'000, 'x')), 1000);
  CHECK(large.statuses() == Statuses{403});
  CHECK(large.connection->phase() == Connection::Phase::lingering);
  CHECK(large.output.find("Connection: close") != std::string::npos);
}

TEST_CASE("a body over the limit is 413 however it is framed") {
  ConnectionFixture length;
  length.feed(post("/small", std::string(11, 'x')));
  CHECK(length.statuses() == Statuses{413});
  ConnectionFixture chunked;
  chunked.feed(
      "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n");
  CHECK(chunked.statuses() == Statuses{413});
  CHECK(chunked.handled.empty());
  ConnectionFixture fits;
  fits.feed(post("/small", std::string(10, 'x')));
  CHECK(fits.statuses() == Statuses{200});
}

TEST_CASE("100 Continue is sent when its request is next, and not when the body is there") {
  ConnectionFixture f;
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  f.feed(head);
  CHECK(f.output == "HTTP/1.1 100 Continue\r\n\r\n");
  f.feed("body");
  CHECK(f.statuses() == Statuses{200});
  ConnectionFixture at_once;
  at_once.feed(head + "body");
  CHECK(at_once.output.find("100 Continue") == std::string::npos);
  ConnectionFixture refused;
  refused.feed(
      "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(refused.output.find("100 Continue") == std::string::npos);
  CHECK(refused.statuses() == Statuses{403});
  CHECK(refused.closed());
}

TEST_CASE("an error in framing is answered behind what came before, then nothing is handled") {
  ConnectionFixture f;
  f.feed(get("/slow/a") + "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + get("/"));
  CHECK(f.output.empty());
  f.finish("a");
  CHECK(f.statuses() == Statuses{200, 400});
  CHECK(f.handled == Strings{"GET /slow/a"});
  CHECK(f.connection->phase() == Connection::Phase::lingering);
  f.feed(get("/"));
  CHECK(f.statuses() == Statuses{200, 400});
  f.pass(2s);
  CHECK(f.connection->phase() == Connection::Phase::closed);
}

TEST_CASE("a bad path is refused however it is spelled") {
  for (const char* path : {"//admin", "/../admin", "/%2e%2e/admin", "/%2e%2e%2fadmin", "/a%00",
                           "/a\\b", "/%c0%ae/x"}) {
    ConnectionFixture f;
    f.feed(get(path) + get("/"));
    CHECK(f.statuses() == Statuses{400});
    CHECK(f.handled.empty());
  }
}

TEST_CASE("what lingers is read up to a bound") {
  ConnectionFixture f;
  f.feed("bad\r\n\r\n");
  REQUIRE(f.connection->phase() == Connection::Phase::lingering);
  for (int i = 0; i < 300 && f.connection->phase() == Connection::Phase::lingering; ++i) {
    f.feed(std::string(1024, 'x'));
  }
  CHECK(f.connection->phase() == Connection::Phase::closed);
}

TEST_CASE("HTTP/1.0 ends after a response unless it asks for keep-alive") {
  ConnectionFixture f;
  f.feed("GET / HTTP/1.0\r\n\r\n");
  CHECK(f.connection->phase() == Connection::Phase::closed);
  CHECK(f.output.find("Connection: close\r\n") != std::string::npos);
  ConnectionFixture kept;
  kept.feed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK_FALSE(kept.closed());
  CHECK(kept.output.find("Connection: keep-alive\r\n") != std::string::npos);
}

TEST_CASE("HEAD is answered without a body") {
  ConnectionFixture f;
  f.feed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(f.output.ends_with("Content-Length: 4\r\n\r\n"));
}

TEST_CASE("a client that goes cancels its handlers, and their late answers go nowhere") {
  ConnectionFixture f;
  f.feed(get("/slow/a") + get("/slow/b") + get("/"));
  f.connection->end_of_input(f.now);
  CHECK(f.gone == Strings{"/slow/a client_gone", "/slow/b client_gone"});
  CHECK(f.connection->phase() == Connection::Phase::closed);
  f.finish("a");
  f.finish("b");
  CHECK(f.output.empty());
  CHECK(f.resources.exchanges.in_use() == 0);
}

TEST_CASE("a client that only stops sending still gets what was answered") {
  ConnectionFixture f;
  f.connection->feed(get("/big") + "GET / HT", f.now);
  f.connection->end_of_input(f.now);
  CHECK_FALSE(f.closed());
  f.take_output();
  CHECK(f.statuses() == Statuses{200});
  CHECK(f.connection->phase() == Connection::Phase::closed);
}

TEST_CASE("a connection may be destroyed at any moment") {
  const std::string all =
      get("/slow/a") + get("/") + get("/events") + post("/slow/b", "x") + get("/big");
  for (std::size_t cut = 0; cut <= all.size(); cut += 3) {
    ConnectionFixture f;
    f.connection->feed(std::string_view(all).substr(0, cut), f.now);
    f.connection.reset();
    CHECK(f.resources.exchanges.in_use() == f.suspended.size());
  }
}

TEST_CASE("an event stream sends what is queued, in chunks, until it is closed") {
  ConnectionFixture f;
  f.feed(get("/events"));
  CHECK(f.output.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  f.output.clear();
  CHECK(f.events->send({.event = "tick", .data = "1"}).ok());
  CHECK(f.wakes == 1);
  f.connection->stream_ready(f.now);
  f.take_output();
  CHECK(f.output == "15\r\nevent: tick\ndata: 1\n\n\r\n");
  f.events->close();
  f.connection->stream_ready(f.now);
  f.take_output();
  CHECK(f.output.ends_with("0\r\n\r\n"));
  f.feed(get("/"));
  CHECK(f.statuses() == Statuses{200});
}

TEST_CASE("a quiet stream sends heartbeats, a slow client is disconnected") {
  ConnectionFixture f;
  f.feed(get("/events"));
  f.output.clear();
  f.pass(14s);
  CHECK(f.output.empty());
  f.pass(1s);
  CHECK(f.output == "3\r\n:\n\n\r\n");
  const std::string large(600, 'x');
  CHECK(f.events->send({.data = large}).ok());
  CHECK(f.events->send({.data = large}).error().code() == Errc::overloaded);
  f.connection->stream_ready(f.now);
  CHECK(f.connection->phase() == Connection::Phase::closed);
  CHECK(f.events->send({.data = "x"}).error().code() == Errc::cancelled);
}

TEST_CASE("a stream on HTTP/1.0 ends with its connection") {
  ConnectionFixture f;
  f.feed("GET /events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(f.events->send({.data = "x"}).ok());
  f.events->close();
  f.connection->stream_ready(f.now);
  f.take_output();
  CHECK(f.output.ends_with("\r\n\r\ndata: x\n\n"));
  CHECK(f.output.find("Connection: close") != std::string::npos);
  CHECK(f.connection->phase() == Connection::Phase::closed);

  ConnectionFixture quiet;
  quiet.feed("GET /events HTTP/1.0\r\n\r\n");
  CHECK_FALSE(quiet.closed());
  quiet.events->close();
  quiet.connection->stream_ready(quiet.now);
  CHECK(quiet.connection->phase() == Connection::Phase::closed);
}

TEST_CASE("a deadline answers 504, ends the connection, and the handler's answer is dropped") {
  ConnectionFixture f;
  f.feed(get("/deadline") + get("/"));
  f.pass(29s);
  CHECK(f.output.empty());
  f.pass(1s);
  CHECK(f.statuses() == Statuses{504});
  CHECK(f.closed());
  CHECK(f.resources.exchanges.in_use() >= 1);
  f.finish("deadline");
  f.connection.reset();
  CHECK(f.resources.exchanges.in_use() == 0);
}

TEST_CASE("each phase of reading has its patience") {
  ConnectionFixture silent;
  silent.pass(10s);
  CHECK(silent.connection->phase() == Connection::Phase::closed);

  ConnectionFixture idle;
  idle.feed(get("/"));
  idle.pass(74s);
  CHECK_FALSE(idle.closed());
  idle.pass(1s);
  CHECK(idle.connection->phase() == Connection::Phase::closed);
  CHECK(idle.statuses() == Statuses{200});

  ConnectionFixture head;
  head.feed("GET / HTTP/1.1\r\n");
  head.pass(9s);
  head.feed("Host: a\r\n");
  CHECK(head.output.empty());
  head.pass(1s);
  CHECK(head.statuses() == Statuses{408});

  ConnectionFixture body;
  body.feed(post("/echo", "1234").substr(0, 50));
  body.pass(60s);
  CHECK(body.statuses() == Statuses{408});
  CHECK(body.handled.empty());
}

TEST_CASE("a peer that takes nothing is let go") {
  ConnectionFixture f;
  f.connection->feed(get("/big"), f.now);
  f.now += 29s;
  f.connection->tick(f.now);
  f.connection->sent(1, f.now);
  f.now += 29s;
  f.connection->tick(f.now);
  CHECK_FALSE(f.closed());
  f.now += 1s;
  f.connection->tick(f.now);
  CHECK(f.connection->phase() == Connection::Phase::closed);
}

TEST_CASE("draining ends idle connections now and busy ones after their last response") {
  ConnectionFixture idle;
  idle.connection->drain(idle.now);
  CHECK(idle.connection->phase() == Connection::Phase::closed);

  ConnectionFixture busy;
  busy.feed(get("/slow/a") + get("/slow/b"));
  busy.connection->drain(busy.now);
  CHECK_FALSE(busy.closed());
  busy.finish("a");
  CHECK(busy.output.find("Connection: close") == std::string::npos);
  busy.finish("b");
  CHECK(busy.output.find("Connection: close") != std::string::npos);
  CHECK(busy.connection->phase() == Connection::Phase::closed);
}

}  // namespace
}  // namespace aiserve::http::detail
