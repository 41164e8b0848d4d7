// A channel under senders on several threads and clients that come and go.
#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/event_channel.hpp"
#include "aiserve/http/server.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

// The values of the lines that begin with `field`, of all complete events.
std::vector<std::string> values(const std::string& received, const std::string& field) {
  std::vector<std::string> found;
  const std::string_view events = std::string_view(received).substr(0, received.rfind("\n\n") + 2);
  for (std::size_t at = 0; (at = events.find("\n" + field, at)) != std::string_view::npos;) {
    at += field.size() + 1;
    found.emplace_back(events.substr(at, events.find('\n', at) - at));
  }
  return found;
}

TEST_CASE("clients that lose their connections again and again get every event once, in order") {
  constexpr int kSenders = 2;
  constexpr int kEvents = 400;
  constexpr int kClients = 3;
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  EventChannel channel({.replay_events = 10'000, .replay_bytes = 1 << 20});
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  Server server(runtime, {.address = "127.0.0.1", .port = 0});
  server.events("/", channel);
  runtime.start();
  CHECK(channel.send({.data = "start", .id = "start"}).ok());

  std::vector<std::vector<std::string>> got(kClients);
  std::vector<std::thread> threads;
  for (auto& mine : got) {
    threads.emplace_back([&] {
      std::string last = "start";
      while (mine.size() < kSenders * kEvents) {
        RawClient client(server.port());
        client.send("GET / HTTP/1.1\r\nHost: a\r\nLast-Event-ID: " + last + "\r\n\r\n");
        for (int reads = 0; reads < 3 && client.wait_for_more(); ++reads) {
        }
        const auto ids = values(client.received(), "id: ");
        if (!ids.empty()) last = ids.back();
        for (std::string& data : values(client.received(), "data: ")) {
          mine.push_back(std::move(data));
        }
      }
    });
  }
  for (int sender = 0; sender < kSenders; ++sender) {
    threads.emplace_back([&, sender] {
      for (int i = 0; i < kEvents; ++i) {
        const std::string data = std::to_string(sender) + ":" + std::to_string(i);
        (void)channel.send({.data = data});
        std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& mine : got) {
    REQUIRE(mine.size() == kSenders * kEvents);
    std::vector<int> next(kSenders, 0);
    for (const std::string& data : mine) {
      const auto sender = static_cast<std::size_t>(data[0] - '0');
      CHECK(data.substr(2) == std::to_string(next[sender]++));
    }
    CHECK(mine == got[0]);
  }
  runtime.shutdown();
  CHECK(channel.followers() == 0);
}

}  // namespace
}  // namespace aiserve::http
