// Bodies of requests that are handled while they come.
#include <doctest/doctest.h>

#include "unit/http/connection_fixture.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::chrono_literals;
using Statuses = std::vector<int>;

std::string chunked(std::string_view path, std::string_view chunks) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
}

TEST_CASE("a body that is passed on as it comes is the same, whatever the slicing and framing") {
  const std::string text(1000, 'b');
  std::string chunks;
  for (std::size_t at = 0; at < text.size(); at += 50)
    chunks += "32\r\n" + text.substr(at, 50) + "\r\n";
  for (const std::size_t slice : {1u, 7u, 99u, 5000u}) {
    ConnectionFixture f;
    f.feed(post("/sink", text) + chunked("/sink", chunks + "0\r\n\r\n") + get("/sink") + get("/"),
           slice);
    CHECK(f.statuses() == Statuses{200, 200, 200, 200});
    CHECK(f.bodies() == std::vector<std::string>{text, text, "", "root"});
    CHECK(f.connection->wants_read());
    CHECK(f.resources.exchanges.in_use() == 0);
  }
}

TEST_CASE("the handler runs when the head is there, and keeps every view of it") {
  ConnectionFixture f;
  f.feed(post("/sink/a%20b", std::string(50, 'b'), "X-Kind: first\r\n").substr(0, 100));
  REQUIRE(f.sinks.size() == 1);
  REQUIRE(f.sinks[0]->exchange != nullptr);
  CHECK(f.sinks[0]->exchange->request.path() == "/sink/a b");
  CHECK(f.sinks[0]->exchange->request.header("x-kind") == "first");
  CHECK(f.sinks[0]->exchange->request.body().empty());
}

TEST_CASE("nothing is read while the sink is full, and the rest follows when it is not") {
  ConnectionFixture f;
  f.sinks_read = false;
  const std::string request = post("/sink", std::string(300, 'b'));
  f.feed(request.substr(0, request.size() - 200));
  CHECK(f.sinks[0]->received.size() == 100);
  CHECK_FALSE(f.connection->wants_read());
  f.feed(request.substr(request.size() - 200));  // it was on its way already
  CHECK(f.sinks[0]->received.size() == 100);
  f.sinks[0]->reads = true;
  f.read_sinks();
  CHECK(f.sinks[0]->received.size() == 300);
  CHECK(f.connection->wants_read());
  CHECK(f.bodies() == std::vector<std::string>{std::string(300, 'b')});
}

TEST_CASE("100 Continue is sent when the handler reads, not before") {
  ConnectionFixture f;
  f.sinks_read = false;
  f.feed("POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(f.output.empty());
  f.sinks[0]->reads = true;
  f.connection->stream_ready(f.now);
  f.take_output();
  CHECK(f.output == "HTTP/1.1 100 Continue\r\n\r\n");
  f.feed("ab");
  CHECK(f.statuses() == Statuses{200});
  CHECK(f.output.find("100 Continue") == f.output.rfind("100 Continue"));
}

TEST_CASE("what a handler leaves unread is dropped if it is small, else the connection ends") {
  const auto answered_at_once = [](const std::string& request) {
    auto f = std::make_unique<ConnectionFixture>();
    f->sinks_read = false;
    f->feed(request);
    f->end_handler(*std::exchange(f->sinks[0]->exchange, nullptr), text("enough"));
    f->take_output();
    return f;
  };
  const std::string head = "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: ";
  const auto small = answered_at_once(head + "1000\r\n\r\nab");
  CHECK_FALSE(small->closed());
  small->feed(std::string(998, 'x') + get("/"));
  CHECK(small->statuses() == Statuses{200, 200});

  const auto large = answered_at_once(head + "100000\r\n\r\nab");
  CHECK(large->output.find("Connection: close\r\n") != std::string::npos);
  CHECK(large->connection->phase() == Phase::lingering);

  const auto unasked = answered_at_once(head + "10\r\nExpect: 100-continue\r\n\r\n");
  CHECK(unasked->output.find("100 Continue") == std::string::npos);
  CHECK(unasked->closed());

  const auto in_chunks = answered_at_once(chunked("/sink", "2\r\nab\r\n"));
  CHECK(in_chunks->closed());
}

TEST_CASE("a body that is malformed or too large ends its handler with an answer at once") {
  ConnectionFixture malformed;
  malformed.feed(chunked("/sink", "2\r\nab\r\nxyz\r\n"));
  CHECK(malformed.statuses() == Statuses{400});
  CHECK(malformed.closed());
  CHECK(malformed.sinks[0]->received == "ab");
  REQUIRE(malformed.sinks[0]->error);
  CHECK(malformed.sinks[0]->error->code() == Errc::malformed);

  ConnectionLimits limits;
  limits.body_bytes = 10;
  ConnectionFixture endless(limits);
  endless.feed(chunked("/sink", "8\r\n12345678\r\n8\r\n12345678\r\n"));
  CHECK(endless.statuses() == Statuses{413});
  CHECK(endless.sinks[0]->error->code() == Errc::too_large);

  ConnectionFixture declared(limits);
  declared.feed(post("/sink", "12345678901"));
  CHECK(declared.statuses() == Statuses{413});
  CHECK(declared.handled.empty());
}

TEST_CASE("body_timeout counts the time that a handler waits for its client, not the other") {
  ConnectionFixture f;
  f.sinks_read = false;
  f.feed(post("/sink", std::string(300, 'b')).substr(0, 200));
  for (int i = 0; i < 100; ++i) f.pass(1s);
  CHECK(f.output.empty());
  f.sinks[0]->reads = true;
  f.read_sinks();
  for (int i = 0; i < 59; ++i) {
    f.pass(1s);
    if (i % 10 == 0) f.feed("b");
  }
  CHECK(f.output.empty());
  f.pass(2s);
  CHECK(f.statuses() == Statuses{408});
  CHECK(f.sinks[0]->error->code() == Errc::deadline_exceeded);
}

TEST_CASE("a client that goes in the middle of its body cancels the handler") {
  ConnectionFixture f;
  f.feed(post("/sink", "0123456789").substr(0, 60));
  f.connection->end_of_input(f.now);
  CHECK(f.connection->phase() == Phase::closed);
  CHECK(f.gone == std::vector<std::string>{"/sink client_gone"});
}

TEST_CASE("the last request of a connection is read to the end of its body") {
  ConnectionFixture f;
  f.feed("POST /sink HTTP/1.0\r\nContent-Length: 4\r\n\r\nab");
  CHECK_FALSE(f.closed());
  f.feed("cd" + get("/"));
  CHECK(f.bodies() == std::vector<std::string>{"abcd"});
  CHECK(f.handled.size() == 1);
  CHECK(f.closed());
}

}  // namespace
}  // namespace aiserve::http::detail
