// Bodies of responses that are produced while they are sent.
#include <doctest/doctest.h>

#include "unit/http/connection_fixture.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::chrono_literals;
using State = StreamSource::State;
using Ends = std::vector<CancelReason>;

bool has(const ConnectionFixture& f, std::string_view text) {
  return f.output.find(text) != std::string::npos;
}
std::string behind_head(const std::string& output) {
  const std::size_t at = output.find("\r\n\r\n");
  return at == std::string::npos ? "no head" : output.substr(at + 4);
}
std::string get10(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
}

TEST_CASE("a streamed body is chunked, one chunk for all that leaves at once") {
  ConnectionFixture f;
  f.feed(get("/body") + get("/"));
  CHECK(has(f, "Transfer-Encoding: chunked\r\n"));
  CHECK(behind_head(f.output).empty());
  f.body->parts = {"ab", "cde"};
  f.give("");
  CHECK(behind_head(f.output) == "5\r\nabcde\r\n");
  f.give("f", State::ended);
  CHECK(behind_head(f.output).starts_with("5\r\nabcde\r\n1\r\nf\r\n0\r\n\r\nHTTP/1.1 200"));
  CHECK(f.body->ends == Ends{CancelReason::none});
  CHECK_FALSE(f.closed());
}

TEST_CASE("a body whose length is named is sent as it is, and the connection is kept") {
  ConnectionFixture f;
  f.feed(get("/body/5"));
  f.give("ab");
  f.give("cde", State::ended);
  CHECK(has(f, "Content-Length: 5\r\n"));
  CHECK_FALSE(has(f, "Transfer-Encoding"));
  CHECK(behind_head(f.output) == "abcde");
  CHECK_FALSE(f.closed());

  ConnectionFixture old;
  old.feed(get10("/body/3"));
  old.give("abc", State::ended);
  CHECK(has(old, "Connection: keep-alive\r\n"));
  CHECK_FALSE(old.closed());
}

TEST_CASE("a body that fails is cut off where its client notices") {
  ConnectionFixture chunked;
  chunked.feed(get("/body") + get("/"));
  chunked.give("ab", State::failed);
  CHECK(behind_head(chunked.output) == "2\r\nab\r\n");
  CHECK(chunked.connection->phase() == Phase::closed);
  CHECK_FALSE(chunked.connection->must_reset());

  ConnectionFixture named;
  named.feed(get("/body/5"));
  named.give("ab", State::failed);
  CHECK(behind_head(named.output) == "ab");
  CHECK(named.connection->phase() == Phase::closed);
  CHECK_FALSE(named.connection->must_reset());

  ConnectionFixture until_close;
  until_close.feed(get10("/body"));
  until_close.give("ab", State::failed);
  CHECK(until_close.connection->phase() == Phase::closed);
  CHECK(until_close.connection->must_reset());

  ConnectionFixture complete;
  complete.feed(get10("/body"));
  complete.give("ab", State::ended);
  CHECK(behind_head(complete.output) == "ab");
  CHECK(complete.connection->phase() == Phase::closed);
  CHECK_FALSE(complete.connection->must_reset());
}

TEST_CASE("HEAD gets the head of a streamed response and nobody pulls its body") {
  ConnectionFixture f;
  f.feed("HEAD /body/7 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(has(f, "Content-Length: 7\r\n"));
  CHECK(behind_head(f.output).empty());
  CHECK(f.body->pulls == 0);
  CHECK(f.body->ends == Ends{CancelReason::none});
  f.feed(get("/"));
  CHECK(f.statuses() == std::vector<int>{200, 200});
}

TEST_CASE("nothing is pulled before what was pulled last has left") {
  ConnectionFixture f;
  f.connection->feed(get("/body"), f.now);
  f.body->parts = {"ab"};
  f.connection->stream_ready(f.now);
  const int pulls = f.body->pulls;
  f.connection->sent(10, f.now);
  f.body->parts = {"cd"};
  f.connection->stream_ready(f.now);
  CHECK(f.body->pulls == pulls);
  f.take_output();
  CHECK(f.body->pulls > pulls);
  CHECK(f.output.ends_with("2\r\nab\r\n2\r\ncd\r\n"));
}

TEST_CASE("a response that streams behind others waits for its turn") {
  ConnectionFixture f;
  f.feed(get("/slow/a") + get("/body"));
  f.body->parts = {"ab"};
  f.give("", State::ended);
  CHECK(f.output.empty());
  f.finish("a");
  CHECK(f.statuses() == std::vector<int>{200, 200});
  CHECK(f.output.ends_with("2\r\nab\r\n0\r\n\r\n"));
}

TEST_CASE("a client that goes, or takes nothing, ends the stream with that reason") {
  ConnectionFixture gone;
  gone.feed(get("/body"));
  gone.connection->end_of_input(gone.now);
  CHECK(gone.body->ends == Ends{CancelReason::client_gone});

  ConnectionFixture slow;
  slow.feed(get("/body"));
  slow.body->parts = {"ab"};
  slow.connection->stream_ready(slow.now);
  slow.now += 30s;
  slow.connection->tick(slow.now);
  CHECK(slow.body->ends == Ends{CancelReason::slow_client});
  CHECK(slow.connection->phase() == Phase::closed);
}

TEST_CASE("a handler past its deadline has its body cut off") {
  ConnectionFixture f;
  f.feed(get("/body"));
  f.give("ab");
  Exchange* streaming = nullptr;
  f.connection->for_each([&](Exchange& exchange) { streaming = &exchange; });
  REQUIRE(streaming != nullptr);
  streaming->handler_running = true;
  streaming->deadline = Deadline::after(f.now, 10s);
  f.pass(9s);
  CHECK_FALSE(f.closed());
  f.pass(1s);
  CHECK(f.connection->phase() == Phase::closed);
  CHECK(behind_head(f.output) == "2\r\nab\r\n");
  CHECK(streaming->connection == nullptr);
  f.resources.exchanges.release(*streaming);
}

TEST_CASE("an unsafe request waits for a streaming handler, a safe one does not") {
  ConnectionFixture f;
  f.feed(get("/body"));
  f.connection->for_each([](Exchange& exchange) { exchange.handler_running = true; });
  f.feed(get("/") + post("/echo", "x") + get("/"));
  CHECK(f.handled == std::vector<std::string>{"GET /body", "GET /"});
  f.connection->for_each([](Exchange& exchange) { exchange.handler_running = false; });
  f.give("", State::ended);
  CHECK(f.handled.size() == 4);
  CHECK(f.statuses() == std::vector<int>{200, 200, 200, 200});
}

TEST_CASE("a quiet body sends no heartbeats") {
  ConnectionFixture f;
  f.feed(get("/body"));
  f.output.clear();
  f.pass(1h);
  CHECK(f.output.empty());
}

}  // namespace
}  // namespace aiserve::http::detail
