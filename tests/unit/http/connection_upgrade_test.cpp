#include <doctest/doctest.h>

#include "unit/http/connection_fixture.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::chrono_literals;
using Statuses = std::vector<int>;
using Ends = std::vector<CancelReason>;

std::string upgrade(std::string_view path) {
  return get(path, "Connection: upgrade\r\nUpgrade: echo\r\n");
}
std::string behind_head(const std::string& output) {
  const std::size_t at = output.rfind("\r\n\r\n");
  return at == std::string::npos ? std::string("no head") : output.substr(at + 4);
}

TEST_CASE("after an upgrade the other protocol has the connection, whatever the slicing") {
  for (const std::size_t slice : {1u, 7u, 64u, 1000u}) {
    ConnectionFixture f;
    f.feed(upgrade("/upgrade") + "hello GET / HTTP/1.1\r\n\r\n", slice);
    CHECK(f.statuses() == Statuses{101});
    CHECK(
        f.output.starts_with("HTTP/1.1 101 Switching Protocols\r\nDate: now\r\n"
                             "Upgrade: echo\r\nConnection: Upgrade\r\n\r\n"));
    CHECK(f.output.find("Content-Length") == std::string::npos);
    CHECK(f.output.ends_with("hello GET / hTTP/1.1\r\n\r\n"));
    CHECK(f.handled.size() == 1);
    CHECK(f.connection->busy());
    CHECK(f.resources.exchanges.in_use() == 0);
  }
}

TEST_CASE("the 101 waits for what was asked before it") {
  ConnectionFixture f;
  f.feed(get("/slow/a") + get("/slow/b") + upgrade("/upgrade") + "early");
  CHECK(f.handled == std::vector<std::string>{"GET /slow/a", "GET /slow/b"});
  f.finish("b");
  f.finish("a");
  CHECK(f.statuses() == Statuses{200, 200, 101});
  CHECK(behind_head(f.output) == "early");

  ConnectionFixture streams;
  streams.feed(get("/events") + upgrade("/upgrade") + "early");
  CHECK(streams.statuses() == Statuses{200});
  streams.events->close();
  streams.connection->stream_ready(streams.now);
  streams.take_output();
  CHECK(streams.statuses() == Statuses{200, 101});
  CHECK(behind_head(streams.output) == "early");
}

TEST_CASE("what lies behind a request to upgrade is not parsed before its answer") {
  ConnectionFixture f;
  f.feed(upgrade("/slow/upgrade"));
  f.feed(std::string("\0\x81 no HTTP", 10));
  CHECK(f.refusals == 0);
  f.finish("upgrade");
  CHECK(behind_head(f.output) == std::string("\0\x81 no hTTP", 10));

  ConnectionFixture declined;
  declined.feed(upgrade("/slow/no") + get("/"));
  CHECK(declined.handled.size() == 1);
  declined.finish("no");
  CHECK(declined.statuses() == Statuses{200, 200});
}

TEST_CASE("only a GET on HTTP/1.1 that asked for it, and is not the last, can be upgraded") {
  const auto answer = [](const std::string& bytes) {
    ConnectionFixture f;
    f.feed(bytes);
    return f.statuses();
  };
  CHECK(answer(get("/upgrade")) == Statuses{426});
  CHECK(answer("GET /upgrade HTTP/1.0\r\nConnection: upgrade\r\n\r\n") == Statuses{426});
  CHECK(answer(get("/upgrade", "Connection: upgrade, close\r\n")) == Statuses{426});
  CHECK(answer(post("/upgrade", "x", "Connection: upgrade\r\n")) == Statuses{426});
}

TEST_CASE("a protocol is read, ticked, drained and ended as its connection is") {
  ConnectionFixture f;
  f.feed(upgrade("/upgrade") + "!");
  f.pass(1s);
  CHECK(behind_head(f.output) == "!pong");
  f.connection->drain(f.now);
  CHECK(f.connection->phase() == Phase::open);
  CHECK_FALSE(f.connection->wants_read());
  f.take_output();
  CHECK(f.output.ends_with("bye"));
  CHECK(f.connection->phase() == Phase::closed);
  CHECK_FALSE(f.connection->busy());
  CHECK(f.echo->ends == Ends{CancelReason::none});

  ConnectionFixture says_so;
  says_so.feed(upgrade("/upgrade") + "abc$");
  CHECK(behind_head(says_so.output) == "abc$");
  CHECK(says_so.connection->phase() == Phase::closed);
  CHECK(says_so.echo->ends == Ends{CancelReason::none});

  ConnectionFixture gone;
  gone.feed(upgrade("/upgrade"));
  gone.connection->abort(CancelReason::shutdown);
  gone.connection->abort(CancelReason::client_gone);
  CHECK(gone.echo->ends == Ends{CancelReason::shutdown});

  ConnectionFixture half;
  half.feed(upgrade("/upgrade"));
  half.connection->end_of_input(half.now);
  CHECK(half.echo->ends == Ends{CancelReason::none});
}

TEST_CASE("a 101 that is never taken ends its connection, one that was never sent ends nothing") {
  ConnectionFixture stuck;
  stuck.connection->feed(upgrade("/upgrade") + "$", stuck.now);
  CHECK(stuck.connection->phase() == Phase::open);
  stuck.now += 30s;
  stuck.connection->tick(stuck.now);
  CHECK(stuck.connection->phase() == Phase::closed);
  CHECK(stuck.echo->ends == Ends{CancelReason::slow_client});

  ConnectionFixture behind;
  behind.feed(get("/events") + upgrade("/upgrade"));
  behind.connection->abort(CancelReason::client_gone);
  CHECK(behind.echo->ends.empty());
  CHECK(behind.resources.exchanges.in_use() == 0);
}

TEST_CASE("a drain that comes before the 101 is heard by the protocol") {
  ConnectionFixture f;
  f.feed(upgrade("/slow/upgrade"));
  f.connection->drain(f.now);
  f.finish("upgrade");
  CHECK(behind_head(f.output) == "bye");
  CHECK(f.connection->phase() == Phase::closed);
}

}  // namespace
}  // namespace aiserve::http::detail
