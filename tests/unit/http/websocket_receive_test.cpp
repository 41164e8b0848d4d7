// receive() and write(): what a handler that is a coroutine waits for.
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "aiserve/testing/sim_runtime.hpp"
#include "unit/http/websocket_fixture.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

struct Bench {
  explicit Bench(WebSocketOptions options = {}) : f(std::move(options), true) { sim.start(); }
  ~Bench() {
    f.connection->ended(CancelReason::client_gone);
    sim.run_until_idle();
  }

  // Starts a handler that receives until it fails.
  void receive_all() {
    const auto loop = [this](const Context&) -> Async<void> {
      while (Result<Message> message = co_await f.socket().receive()) {
        got.emplace_back(message->text());
      }
      ended = true;
      co_return success();
    };
    spawn(sim.runtime(), Context::background(), loop);
    sim.run_until_idle();
  }
  Result<Message> receive() {
    return block_on(sim.runtime(), f.socket().receive(Context::background()));
  }
  void feed(std::string_view bytes) {
    f.feed(bytes);
    sim.run_until_idle();
  }

  testing::SimRuntime sim;
  WebSocketFixture f;
  Texts got;
  bool ended = false;
};

TEST_CASE("messages are received in order, whether they came before or are waited for") {
  Bench bench;
  bench.feed(client_text("one") + client_text("two"));
  bench.receive_all();
  CHECK(bench.got == Texts{"one", "two"});
  bench.feed(wire({.payload = "th", .last = false}));
  bench.feed(wire({.opcode = Opcode::continuation, .payload = "ree"}));
  CHECK(bench.got == Texts{"one", "two", "three"});
  CHECK_FALSE(bench.ended);
}

TEST_CASE("what came before a close is received, then cancelled") {
  Bench bench;
  bench.feed(client_text("last") + client_close(1000));
  CHECK(bench.receive().value().text() == "last");
  CHECK(bench.receive().error().code() == Errc::cancelled);
}

TEST_CASE("a handler that waits is told when the peer closes, goes, or the server drains") {
  Bench bench;
  bench.receive_all();
  SUBCASE("closes") { bench.feed(client_close(1000)); }
  SUBCASE("goes") { bench.f.connection->ended(CancelReason::client_gone); }
  SUBCASE("drains") { bench.f.connection->drain(bench.f.now); }
  SUBCASE("our own close") {
    CHECK(bench.f.socket().close().ok());
    bench.f.connection->woken(bench.f.now);
  }
  bench.sim.run_until_idle();
  CHECK(bench.ended);
}

TEST_CASE("a wait has the deadline of its Context, and the socket goes on") {
  Bench bench;
  std::optional<Errc> error;
  const Context ctx =
      Context::background().with_deadline(Deadline::after(bench.sim.clock().now(), 5s));
  const auto once = [&](const Context&) -> Async<void> {
    const Result<Message> message = co_await bench.f.socket().receive(ctx);
    if (!message) error = message.error().code();
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), once);
  bench.sim.advance(6s);
  CHECK(error == Errc::deadline_exceeded);
  bench.feed(client_text("later"));
  CHECK(bench.receive().value().text() == "later");
}

TEST_CASE("one receive() at a time, and none beside a callback") {
  Bench bench;
  bench.receive_all();
  std::optional<Errc> error;
  const auto second = [&](const Context& ctx) -> Async<void> {
    const Result<Message> message = co_await bench.f.socket().receive(ctx);
    if (!message) error = message.error().code();
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), second);
  bench.sim.run_until_idle();
  CHECK(error == Errc::conflict);

  WebSocketFixture callback;
  const Result<Message> none =
      block_on(bench.sim.runtime(), callback.socket().receive(Context::background()));
  CHECK(none.error().code() == Errc::conflict);
}

TEST_CASE("while nobody receives the peer is not read from, and nothing is lost") {
  Bench bench({.max_unread = 1000});
  std::string burst;
  for (int i = 0; i < 100; ++i) burst += client_text(std::to_string(i));
  bench.feed(burst);
  CHECK_FALSE(bench.f.connection->wants_read());
  const int wakes = bench.f.wakes;
  for (int i = 0; i < 100; ++i) {
    CHECK(bench.receive().value().text() == std::to_string(i));
    bench.f.connection->woken(bench.f.now);
  }
  CHECK(bench.f.wakes > wakes);
  CHECK(bench.f.connection->wants_read());
}

TEST_CASE("write() waits for room, send() would have disconnected") {
  Bench bench({.max_queue = 10'000});
  int written = 0;
  const auto produce = [&](const Context&) -> Async<void> {
    for (int i = 0; i < 100; ++i) {
      const Message message = Message::text(std::string(2000, 'x'));
      const Result<void> sent = co_await bench.f.socket().write(message);
      if (!sent) co_return sent;
      ++written;
    }
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), produce);
  bench.sim.run_until_idle();
  CHECK(written > 30);
  CHECK(written < 45);  // 64 KiB are written, 10 KB wait
  CHECK(bench.f.sender().queued() <= 10'000);
  for (int i = 0; i < 300 && written < 100; ++i) {
    bench.f.read(5000);
    bench.sim.run_until_idle();
    CHECK(bench.f.sender().queued() <= 10'000);
  }
  CHECK(written == 100);
  CHECK(bench.f.texts().size() == 100);
  CHECK(bench.f.context.reason() == CancelReason::none);
}

TEST_CASE("who waits for room is told when the socket ends") {
  Bench bench({.max_queue = 10'000});
  std::optional<Errc> error;
  const auto produce = [&](const Context&) -> Async<void> {
    for (;;) {
      const Message message = Message::text(std::string(2000, 'x'));
      const Result<void> sent = co_await bench.f.socket().write(message);
      if (sent) continue;
      error = sent.error().code();
      co_return success();
    }
  };
  spawn(bench.sim.runtime(), Context::background(), produce);
  bench.sim.run_until_idle();
  CHECK_FALSE(error);
  bench.f.connection->ended(CancelReason::client_gone);
  bench.sim.run_until_idle();
  CHECK(error == Errc::cancelled);
}

TEST_CASE("a message larger than the queue is refused, not waited for") {
  Bench bench({.max_queue = 10'000});
  const Message message = Message::text(std::string(20'000, 'x'));
  const Result<void> sent = block_on(bench.sim.runtime(), bench.f.socket().write(message));
  CHECK(sent.error().code() == Errc::too_large);
}

}  // namespace
}  // namespace aiserve::http::detail
