#include "aiserve/http/event_channel.hpp"

#include <doctest/doctest.h>

#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

struct Following : Simulation {
  explicit Following(EventChannelOptions channel_options = {}, EventOptions events = {})
      : channel(std::move(channel_options)) {
    server.events("/", channel, events);
    sim.start();
  }
  // Connected, with `id` as the last it has seen, and following.
  RawClient follower(std::string_view id = "") {
    RawClient client(server.port());
    const std::size_t before = channel.followers();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n" +
                (id.empty() ? std::string() : "Last-Event-ID: " + std::string(id) + "\r\n") +
                "\r\n");
    CHECK(run_until([&] { return channel.followers() == before + 1; }));
    return client;
  }
  void send(std::string_view data, std::string_view id = "") {
    CHECK(channel.send({.data = data, .id = id}).ok());
    sim.run_until_idle();
  }

  EventChannel channel;
};

// The data of all events received so far, up to and with `last`; of a reset its type.
std::string seen(RawClient& client, std::string_view last) {
  const bool reset = last == "reset";
  CHECK(client.wait_for((reset ? "event: " : "data: ") + std::string(last) + "\n"));
  std::string all;
  std::string_view left = client.received();
  while (!left.empty()) {
    const std::string_view line = left.substr(0, left.find('\n'));
    if (line.starts_with("data: ") && line.size() > 6) all.append(line.substr(6)).append(" ");
    if (line.starts_with("event: ")) all.append(line.substr(7)).append(" ");
    left.remove_prefix(std::min(left.size(), line.size() + 1));
  }
  return all;
}

TEST_CASE("all that follow get what is sent, each event with an id") {
  Following f;
  f.send("before");
  RawClient one = f.follower();
  f.send("a");
  RawClient two = f.follower();
  f.send("b");
  CHECK(seen(one, "b") == "a b ");
  CHECK(seen(two, "b") == "b ");
  CHECK(one.received().find("id: ") != std::string::npos);
}

TEST_CASE("who comes back gets what it missed, without a gap or a repetition") {
  Following f;
  for (const char* const data : {"a", "b", "c"}) f.send(data, data);
  RawClient back = f.follower("a");
  f.send("d", "d");
  CHECK(seen(back, "d") == "b c d ");
  RawClient current = f.follower("d");
  f.send("e", "e");
  CHECK(seen(current, "e") == "e ");
}

TEST_CASE("an id that is not kept any more, or never was, gives a reset from which it can go on") {
  Following f({.replay_events = 2});
  for (const char* const data : {"a", "b", "c"}) f.send(data, data);
  RawClient late = f.follower("a");
  f.send("d", "d");
  CHECK(seen(late, "d") == "reset d ");
  CHECK(late.received().find("event: reset\nid: c\n") != std::string::npos);
  RawClient stranger = f.follower("of another process");
  CHECK(seen(stranger, "reset") == "reset ");

  Following silent({.reset_event = ""});
  RawClient unknown = silent.follower("x");
  silent.send("a");
  CHECK(seen(unknown, "a") == "a ");
}

TEST_CASE("newcomers may get a first picture") {
  Following f({.newcomers_get = 2});
  for (const char* const data : {"a", "b", "c"}) f.send(data);
  RawClient client = f.follower();
  CHECK(seen(client, "c") == "b c ");
}

TEST_CASE("what does not fit the buffer of a client is a reset, not an endless reconnection") {
  Following f({}, {.max_events = 1024});
  const std::string data(500, 'x');
  for (const char* const id : {"a", "b", "c", "d"}) f.send(data, id);
  RawClient client = f.follower("a");
  f.send("e");
  CHECK(seen(client, "e") == "reset e ");
}

TEST_CASE("a client that goes is followed no more, and one too many is refused") {
  Following f({.max_followers = 1});
  RawClient stays = f.follower();
  RawClient refused(f.server.port());
  refused.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(f.run_until([&] { return f.server.in_flight() == 1 && refused.pending(); }));
  CHECK(refused.wait_for("0\r\n\r\n"));
  stays.close();
  CHECK(f.run_until([&] { return f.channel.followers() == 0; }));
  RawClient next = f.follower();
  f.send("a");
  CHECK(seen(next, "a") == "a ");
}

TEST_CASE("closing ends all streams and nothing can be sent any more") {
  Following f;
  RawClient client = f.follower();
  f.send("last");
  f.channel.close();
  REQUIRE(f.run_until([&] { return f.server.in_flight() == 0; }));
  CHECK(client.wait_for("data: last\n\n\r\n0\r\n\r\n"));
  CHECK(f.channel.send({.data = "x"}).error().code() == Errc::cancelled);
  RawClient late(f.server.port());
  late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(f.run_until([&] { return late.pending(); }));
  CHECK(late.wait_for("0\r\n\r\n"));
}

TEST_CASE("what cannot be an event is refused and leaves the channel as it was") {
  Following f;
  RawClient client = f.follower();
  CHECK(f.channel.send({.data = "x", .id = "a\nb"}).error().code() == Errc::invalid_argument);
  CHECK(f.channel.send({.event = "a\rb"}).error().code() == Errc::invalid_argument);
  f.send("good");
  CHECK(seen(client, "good") == "good ");
}

TEST_CASE("channel options out of range are configuration errors") {
  CHECK_THROWS_AS(EventChannel({.replay_events = 1'000'001}), ConfigError);
  CHECK_THROWS_AS(EventChannel({.replay_events = 1, .newcomers_get = 2}), ConfigError);
  CHECK_THROWS_AS(EventChannel({.reset_event = "a\nb"}), ConfigError);
  CHECK_THROWS_AS(EventChannel({.max_followers = 0}), ConfigError);
  Simulation s;
  EventChannel channel;
  CHECK_THROWS_AS(s.server.events("/", channel, {.max_events = 1023}), ConfigError);
}

TEST_CASE("a drain ends the streams of a channel") {
  Following f;
  RawClient client = f.follower();
  f.sim.runtime().shutdown();
  CHECK(client.wait_for("0\r\n\r\n"));
  CHECK(f.channel.followers() == 0);
}

}  // namespace
}  // namespace aiserve::http
