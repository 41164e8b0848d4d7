#include "http/websocket_connection.hpp"

#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "aiserve/events/memory_event_bus.hpp"
#include "unit/http/websocket_fixture.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_CASE("all frames of one read are answered in one write") {
  WebSocketFixture f;
  std::string burst;
  for (int i = 0; i < 16; ++i) burst += client_text(std::to_string(i));
  f.feed(burst);
  std::array<iovec, 4> pieces;
  REQUIRE(f.connection->gather(pieces) == 1);
  f.read(pieces[0].iov_len);
  CHECK_FALSE(f.connection->wants_write());
  CHECK(f.texts().size() == 16);
}

TEST_CASE("the answers don't depend on how the input is cut") {
  const std::string bytes = client_text("one") + wire({.payload = "t", .last = false}) +
                            wire({.opcode = Opcode::ping, .payload = "p"}) +
                            wire({.opcode = Opcode::continuation, .payload = "wo"}) +
                            client_close(1000, "bye");
  for (std::size_t slice = 1; slice <= bytes.size(); ++slice) {
    WebSocketFixture f;
    f.feed(bytes, slice);
    const auto frames = f.frames();
    REQUIRE(frames.size() == 4);
    CHECK(frames[0].payload == "one");
    CHECK(frames[1].opcode == Opcode::pong);
    CHECK(frames[1].payload == "p");
    CHECK(frames[2].payload == "two");
    CHECK(frames[3].code() == 1000);
    CHECK(f.closed());
  }
}

TEST_CASE("binary stays binary, and nothing is kept of an idle socket") {
  WebSocketFixture f;
  f.feed(wire({.opcode = Opcode::binary, .payload = "\xff\x00\x80"}));
  const auto frames = f.frames();
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].opcode == Opcode::binary);
  CHECK_FALSE(f.connection->wants_write());
  CHECK(f.connection->wants_read());
}

// --- the end, by the peer

TEST_CASE("a close is answered with its code, once, and ends the socket") {
  WebSocketFixture f;
  f.feed(client_close(4001, "enough") + client_text("late"));
  CHECK_FALSE(f.closed());  // the answer has yet to leave
  const auto frames = f.frames();
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].code() == 4001);
  CHECK(f.closed());
  f.end();
  CHECK(f.socket().closed().code == 4001);
  CHECK(f.socket().closed().reason == "enough");
  CHECK(f.context.reason() == CancelReason::client_gone);
  CHECK(f.ends == 1);
  CHECK(f.socket().send("x").error().code() == Errc::cancelled);
}

TEST_CASE("a close without a code is answered without one") {
  WebSocketFixture f;
  f.feed(wire({.opcode = Opcode::close}));
  const auto frames = f.frames();
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].payload.empty());
  CHECK(f.socket().closed().code == 1005);
}

TEST_CASE("a peer that breaks the protocol is told how, and lingered for") {
  struct Fault {
    std::string bytes;
    int code;
  };
  const Fault faults[] = {{wire({.payload = "x", .masked = false}), 1002},
                          {client_text("\xff"), 1007},
                          {client_text(std::string(200, 'x')), 1009}};
  for (const Fault& fault : faults) {
    WebSocketFixture f({.max_message = 100});
    f.feed(client_text("before") + fault.bytes + client_text("behind"));
    const auto frames = f.frames();
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].payload == "before");
    CHECK(frames[1].code() == fault.code);
    CHECK(f.connection->phase() == Phase::lingering);
    CHECK_FALSE(f.connection->wants_read());
  }
}

TEST_CASE("a connection that ends without a close is 1006") {
  WebSocketFixture f;
  f.connection->end_of_input(f.now);
  CHECK(f.closed());
  f.end();
  CHECK(f.socket().closed().code == 1006);
  CHECK(f.context.reason() == CancelReason::client_gone);
}

// --- the end, by us

TEST_CASE("our close goes out behind what was sent, and waits for the peer's") {
  WebSocketFixture f;
  CHECK(f.socket().send("last").ok());
  CHECK(f.socket().close(1000, "done").ok());
  CHECK(f.socket().send("later").error().code() == Errc::cancelled);
  CHECK(f.socket().close().error().code() == Errc::cancelled);
  f.connection->woken(f.now);
  const auto frames = f.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].payload == "last");
  CHECK(frames[1].code() == 1000);
  CHECK(frames[1].payload.substr(2) == "done");
  CHECK_FALSE(f.closed());
  f.feed(client_text("crossed") + client_close(1000));
  CHECK(f.frames().empty());
  CHECK(f.closed());
  CHECK(f.socket().closed().code == 1000);
  CHECK(f.socket().closed().reason == "done");
}

TEST_CASE("a peer that never answers our close is waited for only so long") {
  WebSocketFixture f({.close_timeout = 5s});
  CHECK(f.socket().close().ok());
  f.connection->woken(f.now);
  f.read();
  f.pass(4900ms);
  CHECK_FALSE(f.closed());
  f.feed(client_text("I go on"));
  f.pass(200ms);
  CHECK(f.closed());
}

TEST_CASE("a server that drains says 1001 and cancels the Context") {
  WebSocketFixture f;
  CHECK(f.socket().send("last").ok());
  f.connection->drain(f.now);
  CHECK(f.context.reason() == CancelReason::shutdown);
  const auto frames = f.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[1].code() == 1001);
  f.feed(client_close(1001));
  CHECK(f.closed());
}

TEST_CASE("what cannot be sent is refused") {
  WebSocketFixture f({.max_queue = 1024});
  CHECK(f.socket().send("\xff").error().code() == Errc::invalid_argument);
  CHECK(f.sender().send("\xc3").error().code() == Errc::invalid_argument);
  CHECK(f.socket().send(std::string(2000, 'x')).error().code() == Errc::too_large);
  CHECK(f.sender().send(std::string(2000, 'x')).error().code() == Errc::too_large);
  for (const int code : {0, 999, 1005, 1006, 1015, 2000, 5000}) {
    const auto bad = static_cast<std::uint16_t>(code);
    CHECK(f.socket().close(bad).error().code() == Errc::invalid_argument);
  }
  CHECK(f.socket().close(1000, std::string(124, 'r')).error().code() == Errc::invalid_argument);
  CHECK(f.socket().close(1000, "\xff").error().code() == Errc::invalid_argument);
  CHECK(f.socket().open());
  CHECK(f.socket().close(1000, std::string(123, 'r')).ok());
}

TEST_CASE("a callback that throws ends its socket with 1011, and the log hears of it") {
  WebSocketFixture f;
  f.on_message = [](WebSocket&, const MessageView&) { throw std::runtime_error("secret"); };
  f.feed(client_text("x"));
  const auto frames = f.frames();
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].code() == 1011);
  CHECK(frames[0].payload.find("secret") == std::string::npos);
  REQUIRE(f.failures.size() == 1);
  CHECK(f.failures[0].detail() == "secret");
}

TEST_CASE("on_close is told once how it ended, and may ask the socket") {
  int calls = 0;
  WebSocketOptions options;
  options.on_close = [&](WebSocket& socket) {
    calls += socket.closed().code;
    CHECK_FALSE(socket.send("x").ok());
  };
  WebSocketFixture f(options);
  f.feed(client_close(1000));
  f.read();
  f.end();
  f.end();
  CHECK(calls == 1000);
  CHECK(f.metrics.open.value() == 0);
}

// --- silence

TEST_CASE("a silent peer is pinged, and let go when it stays silent") {
  WebSocketFixture f({.ping_interval = 20s, .idle_timeout = 60s});
  f.pass(19s);
  CHECK(f.frames().empty());
  f.pass(1s);
  auto frames = f.frames();
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].opcode == Opcode::ping);
  f.feed(wire({.opcode = Opcode::pong}));
  f.pass(19s);
  CHECK(f.frames().empty());
  f.pass(1s);
  CHECK(f.frames().size() == 1);
  f.pass(20s);
  CHECK(f.frames().size() == 1);
  CHECK_FALSE(f.closed());
  f.pass(20s);
  CHECK(f.closed());
  f.end();
  CHECK(f.context.reason() == CancelReason::client_gone);
}

TEST_CASE("a message that does not end in time ends the socket with 1008") {
  const std::string one = wire({.payload = "one ", .last = false});
  const std::string rest = wire({.opcode = Opcode::continuation, .payload = "message"});
  const std::string ping = wire({.opcode = Opcode::ping});
  // A head alone, a head and a part of its payload, a fragment, a control frame.
  for (const std::string& begun :
       {rest.substr(0, 1), client_text("hello").substr(0, 9), one, ping.substr(0, 3)}) {
    WebSocketFixture f({.message_timeout = 15s});
    f.feed(begun);
    f.pass(14s);
    CHECK(f.frames().empty());
    f.pass(1s);
    const auto frames = f.frames();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].code() == 1008);
    CHECK(f.connection->phase() == Phase::lingering);
    f.end();
    CHECK(f.socket().closed().code == 1008);
  }
}

TEST_CASE("neither pings nor bytes prolong a message, and each has its own time") {
  WebSocketFixture f({.message_timeout = 15s});
  const std::string one = wire({.payload = "one ", .last = false});
  const std::string more =
      wire({.opcode = Opcode::continuation, .payload = "more ", .last = false});
  const std::string last = wire({.opcode = Opcode::continuation, .payload = "message"});
  f.feed(one);
  f.pass(14s);
  f.feed(last + one);  // the next has begun
  CHECK(f.texts() == std::vector<std::string>{"one message"});
  f.pass(14s);
  f.feed(wire({.opcode = Opcode::ping}) + more);
  CHECK(f.frames().size() == 1);
  f.pass(1s);
  CHECK(f.frames().back().code() == 1008);
}

TEST_CASE("the time in which the peer is not read from does not count") {
  WebSocketFixture f({.message_timeout = 10s});
  const std::string payload(125, 'p');
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += wire({.opcode = Opcode::ping, .payload = payload});
  f.feed(wire({.payload = "begun", .last = false}));
  f.feed(pings);
  REQUIRE_FALSE(f.connection->wants_read());
  f.pass(20s);
  CHECK(f.frames().size() == 1000);
  f.pass(9s);
  CHECK(f.frames().empty());
  f.pass(1s);
  CHECK(f.frames().back().code() == 1008);
}

// --- peers that don't read

TEST_CASE("a peer that doesn't read is not read from, and loses nothing") {
  WebSocketFixture f;
  const std::string message = client_text(std::string(1000, 'x'));
  std::string burst;
  for (int i = 0; i < 250; ++i) burst += message;
  f.feed(burst);
  CHECK_FALSE(f.connection->wants_read());
  CHECK(f.sender().queued() == 0);
  std::array<iovec, 4> pieces;
  f.connection->gather(pieces);
  CHECK(pieces[0].iov_len < 70'000);
  CHECK(f.texts().size() == 250);
  CHECK(f.connection->wants_read());
}

TEST_CASE("pings of a peer that doesn't read pile up no answers") {
  WebSocketFixture f;
  const std::string ping = wire({.opcode = Opcode::ping, .payload = std::string(125, 'p')});
  for (int i = 0; i < 10'000 && f.connection->wants_read(); ++i) f.feed(ping);
  CHECK_FALSE(f.connection->wants_read());
  std::array<iovec, 4> pieces;
  f.connection->gather(pieces);
  CHECK(pieces[0].iov_len < 70'000);
}

TEST_CASE("a slow client is disconnected when its queue is full") {
  WebSocketFixture f({.max_queue = 100'000});
  Result<void> sent = success();
  int accepted = 0;
  while ((sent = f.socket().send(std::string(1000, 'x'))).ok()) ++accepted;
  CHECK(sent.error().code() == Errc::overloaded);
  CHECK(accepted > 150);
  CHECK(accepted < 180);  // the queue, and 64 KiB that are written already
  f.connection->woken(f.now);
  CHECK(f.closed());
  f.end();
  CHECK(f.context.reason() == CancelReason::slow_client);
}

TEST_CASE("or loses the oldest messages, which are counted") {
  WebSocketFixture f({.max_queue = 10'000, .slow_client = SlowClient::drop_oldest});
  CHECK(f.socket().send(std::string(70'000 / 8, 'x')).ok());
  for (int i = 0; i < 8; ++i) CHECK(f.socket().send(std::string(9000, 'y')).ok());
  for (int i = 0; i < 1000; ++i) CHECK(f.sender().send(std::to_string(i)).ok());
  f.connection->woken(f.now);
  CHECK(f.metrics.dropped.value() > 800);
  const Texts texts = f.texts();
  REQUIRE(texts.size() > 100);
  CHECK(texts.back() == "999");
  CHECK(texts.size() + f.metrics.dropped.value() == 1009);
  CHECK(texts[texts.size() - 2] == "998");
  CHECK(f.context.reason() == CancelReason::none);
}

TEST_CASE("a peer that takes nothing at all is let go after the write timeout") {
  WebSocketFixture f({.ping_interval = 1h, .idle_timeout = 2h});
  CHECK(f.socket().send("x").ok());
  f.pass(29s);
  CHECK_FALSE(f.closed());
  f.pass(1s);
  CHECK(f.closed());
  f.end();
  CHECK(f.context.reason() == CancelReason::slow_client);
}

TEST_CASE("messages keep their order over queue, copy and reference") {
  WebSocketFixture f({.max_queue = 10'000'000});
  Texts sent;
  for (int i = 0; i < 60; ++i) {
    sent.push_back(std::string(i % 3 == 0 ? 20'000 : 10, static_cast<char>('a' + i % 26)));
    if (i % 2 == 0) {
      CHECK(f.socket().send(Message::text(sent.back())).ok());
    } else {
      CHECK(f.socket().send(sent.back()).ok());
    }
  }
  f.connection->woken(f.now);
  // Read in small bites, which cut heads and bodies.
  for (int i = 0; i < 1000; ++i) f.read(997);
  CHECK(f.texts() == sent);
}

// --- from elsewhere

TEST_CASE("a sender wakes the connection once until it is served, and outlives it") {
  WebSocketFixture f;
  const WebSocketSender sender = f.sender();
  CHECK(sender.send("one").ok());
  CHECK(sender.send("two").ok());
  CHECK(f.wakes == 1);
  CHECK(sender.queued() > 6);
  f.connection->woken(f.now);
  CHECK(f.texts() == Texts{"one", "two"});
  CHECK(sender.send("three").ok());
  CHECK(f.wakes == 2);
  f.connection->ended(CancelReason::client_gone);
  f.connection.reset();
  CHECK_FALSE(sender.open());
  CHECK(sender.queued() == 0);
  CHECK(sender.send("x").error().code() == Errc::cancelled);
}

TEST_CASE("a socket follows topics until it ends") {
  MemoryEventBus bus;
  WebSocketFixture f;
  CHECK(f.socket().follow(bus, "ticks").ok());
  CHECK(f.socket().follow(bus, "ticks", MessageType::binary).ok());  // instead of the first
  CHECK(f.socket().follow(bus, "other").ok());
  CHECK(f.socket().follow(bus, "").error().code() == Errc::invalid_argument);
  CHECK(bus.followers("ticks") == 1);
  CHECK(bus.publish_now("ticks", Bytes::copy("1")).ok());
  CHECK(bus.publish_now("other", Bytes::copy("2")).ok());
  f.socket().unfollow("other");
  CHECK(bus.publish_now("other", Bytes::copy("3")).ok());
  f.connection->woken(f.now);
  const auto frames = f.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].opcode == Opcode::binary);
  CHECK(frames[1].opcode == Opcode::text);
  CHECK(frames[1].payload == "2");
  f.connection->ended(CancelReason::client_gone);
  CHECK(bus.followers("ticks") == 0);
  CHECK_FALSE(f.socket().follow(bus, "ticks").ok());
}

// --- compression

TEST_CASE("messages between the sizes are compressed, control frames and others not") {
  WebSocketOptions options;
  options.deflate = {.enabled = true, .min_size = 100, .max_size = 10'000};
  WebSocketFixture f(options, false, DeflateAgreement{});
  CHECK(f.socket().send(std::string(99, 'a')).ok());
  CHECK(f.socket().send(std::string(100, 'b')).ok());
  CHECK(f.socket().send(std::string(10'000, 'c')).ok());
  CHECK(f.socket().send(std::string(10'001, 'd')).ok());
  f.feed(wire({.opcode = Opcode::ping, .payload = std::string(125, 'p')}));
  const auto frames = f.frames();
  REQUIRE(frames.size() == 5);
  const bool expected[] = {false, true, true, false, false};
  for (std::size_t i = 0; i < 5; ++i) CHECK(frames[i].compressed == expected[i]);
  Inflater inflater;
  std::string text;
  CHECK(inflater.inflate(frames[2].payload, text, 20'000) == Inflater::Outcome::ok);
  CHECK(inflater.finish(text, 20'000) == Inflater::Outcome::ok);
  CHECK(text == std::string(10'000, 'c'));
}

TEST_CASE("what does not become smaller is sent as it is") {
  WebSocketOptions options;
  options.deflate = {.enabled = true, .min_size = 1};
  WebSocketFixture f(options, false, DeflateAgreement{});
  CHECK(f.socket().send("abc").ok());
  const auto frames = f.frames();
  REQUIRE(frames.size() == 1);
  CHECK_FALSE(frames[0].compressed);
  CHECK(frames[0].payload == "abc");
}

TEST_CASE("with context takeover a repeated message is all but free") {
  WebSocketOptions options;
  options.deflate = {.enabled = true, .min_size = 1, .context_takeover = true};
  WebSocketFixture f(options, false, DeflateAgreement{.server_takeover = true});
  const std::string text = R"({"tick":1,"queue":17,"rate":1234.5})";
  CHECK(f.socket().send(text).ok());
  CHECK(f.socket().send(text).ok());
  const auto frames = f.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[1].payload.size() < 8);
}

}  // namespace
}  // namespace aiserve::http::detail
