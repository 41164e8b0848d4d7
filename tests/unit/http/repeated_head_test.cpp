#include "http/repeated_head.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "http/head_parser.hpp"
#include "unit/http/connection_fixture.hpp"

namespace aiserve::http::detail {
namespace {

const std::string kHead =
    "GET /a/b?c=d HTTP/1.1\r\nHost: example.org\r\nX-One:  1 \r\ntraceparent: x\r\n\r\n";

std::unique_ptr<RequestState> parsed(const std::string& bytes) {
  auto state = std::make_unique<RequestState>();
  HeadParser parser;
  REQUIRE(parser.parse(bytes, {}, state->head) == HeadParser::Outcome::done);
  REQUIRE(state->bind(bytes.data()));
  return state;
}

TEST_CASE("the same bytes in another place are the same head there") {
  const auto first = parsed(kHead);
  RepeatedHead repeated;
  repeated.keep(*first);
  const std::string again = kHead + "what follows";
  RequestState state;
  REQUIRE(repeated.repeat(again, state));
  const Request request(state);
  CHECK(request.path() == "/a/b");
  CHECK(request.path().data() == again.data() + 4);
  CHECK(request.query() == "c=d");
  CHECK(request.host() == "example.org");
  CHECK(request.header("x-one") == "1");
  CHECK(request.header_count() == 3);
  CHECK(state.head.has_trace);
  CHECK(state.head.keep_alive);
  CHECK(state.head.bytes == kHead.size());
}

TEST_CASE("a head that differs in one byte, or is not all there, is another") {
  const auto first = parsed(kHead);
  RepeatedHead repeated;
  repeated.keep(*first);
  RequestState state;
  for (std::size_t i = 0; i < kHead.size(); ++i) {
    CAPTURE(i);
    std::string other = kHead;
    other[i] = static_cast<char>(other[i] + 1);
    CHECK_FALSE(repeated.repeat(other, state));
    CHECK_FALSE(repeated.repeat(std::string_view(kHead).substr(0, i), state));
  }
  repeated.forget();
  CHECK_FALSE(repeated.repeat(kHead, state));
}

TEST_CASE("a path that had to be decoded is decoded each time") {
  for (const char* target : {"/%61", "http://a", "*"}) {
    CAPTURE(target);
    const std::string method = *target == '*' ? "OPTIONS " : "GET ";
    const std::string bytes = method + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    const auto state = parsed(bytes);
    RepeatedHead repeated;
    const auto plain = parsed(kHead);
    repeated.keep(*plain);
    repeated.keep(*state);
    RequestState next;
    CHECK_FALSE(repeated.repeat(bytes, next));
    CHECK_FALSE(repeated.repeat(kHead, next));
  }
}

TEST_CASE("requests that repeat, nearly repeat and interleave are each taken for what they are") {
  const std::string all =
      get("/") + get("/") + get("/", "X: 1\r\n") + get("/", "X: 2\r\n") + get("/big") + get("/") +
      post("/echo", "GET / HTTP/1.1\r\n") + post("/echo", "GET / HTTP/1.1\r\n") + get("/%62ig") +
      get("/%62ig") + get("/none") + get("/none") + get("/", "Connection: close\r\n") + get("/");
  ConnectionFixture whole;
  whole.feed(all);
  ConnectionFixture sliced;
  sliced.feed(all, 1);
  CHECK(whole.output == sliced.output);
  CHECK(whole.handled == sliced.handled);
  CHECK(whole.closed());
}

TEST_CASE("a head in the next read is not compared with bytes that are gone") {
  ConnectionFixture f;
  f.feed(get("/") + get("/"));
  f.feed(get("/big") + get("/big"));
  f.feed(get("/slow/a") + get("/"));
  f.feed(get("/"));
  f.finish("a");
  CHECK(f.handled.size() == 7);
  CHECK(f.bodies().back() == "root");
}

// What a fixture does, and something else in the midst of its first request.
class Interrupted final : public ConnectionEvents {
 public:
  Interrupted(ConnectionFixture& fixture, std::function<void()> meanwhile)
      : fixture_(fixture), meanwhile_(std::move(meanwhile)) {}
  void on_head(Exchange& exchange) override { fixture_.on_head(exchange); }
  void on_request(Exchange& exchange) override {
    if (meanwhile_) std::exchange(meanwhile_, nullptr)();
    fixture_.on_request(exchange);
  }
  void on_deadline(Exchange& exchange) override { fixture_.on_deadline(exchange); }
  void on_gone(Exchange& exchange, CancelReason reason) override {
    fixture_.on_gone(exchange, reason);
  }
  Response refusal(Exchange& exchange, int status, std::string_view reason) override {
    return fixture_.refusal(exchange, status, reason);
  }

 private:
  ConnectionFixture& fixture_;
  std::function<void()> meanwhile_;
};

TEST_CASE("a connection that is served from within another's handler leaves no head behind") {
  ConnectionFixture inner;
  ConnectionFixture outer;
  const std::string waits = "POST /slow/c HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string repeats = get("/slow/ab");
  REQUIRE(repeats.size() == waits.size());  // takes its place when it has gone
  inner.feed(post("/slow/p", "x"));
  inner.feed(repeats + waits);
  Interrupted events(outer, [&] { inner.finish("p"); });
  outer.connection = std::make_unique<Connection>(events, outer.limits, inner.resources, outer.now);
  outer.feed(get("/") + waits);
  CHECK(outer.handled == std::vector<std::string>{"GET /", "POST /slow/c"});
  CHECK(inner.handled == std::vector<std::string>{"POST /slow/p", "GET /slow/ab"});
  outer.finish("c");
  outer.connection.reset();  // before what it shares
}

TEST_CASE("a suspended handler keeps every view of a head that repeats another") {
  ConnectionFixture f;
  const std::string slow = get("/slow/a", "X: kept\r\n");
  f.feed(slow + slow + slow);
  for (const char* key : {"a", "a+", "a++"}) {
    REQUIRE(f.suspended.contains(key));
    const Request& request = f.suspended.at(key)->request;
    CHECK(request.path() == "/slow/a");
    CHECK(request.header("x") == "kept");
    f.finish(key);
  }
  CHECK(f.bodies().size() == 3);
}

}  // namespace
}  // namespace aiserve::http::detail
