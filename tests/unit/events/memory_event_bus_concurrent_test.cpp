#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/events/memory_event_bus.hpp"

using namespace aiserve;

namespace {

constexpr int kPublishers = 4;
constexpr int kEvents = 2000;

TEST_CASE("every follower sees each publisher's events in order") {
  Runtime runtime;
  runtime.start();
  MemoryEventBus bus;
  Subscription subscription = bus.subscribe("t", {.max_events = kPublishers * kEvents}).value();
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&bus, p] {
      for (int i = 0; i < kEvents; ++i) {
        const std::string text = std::to_string(p) + " " + std::to_string(i);
        (void)bus.publish_now("t", Bytes::copy(std::string_view(text)));
      }
    });
  }
  std::vector<int> next(kPublishers);
  const auto follow = [&]() -> Async<void> {
    for (int i = 0; i < kPublishers * kEvents; ++i) {
      Result<BusEvent> event = co_await subscription.next(Context::background());
      const std::string text = event.value().payload.to_string();
      const auto from = static_cast<std::size_t>(text[0] - '0');
      if (std::stoi(text.substr(2)) != next[from]++) {
        co_return Error(Errc::internal, "out of order: " + text);
      }
    }
    co_return success();
  };
  const Result<void> followed = block_on(runtime, follow());
  CHECK_MESSAGE(followed.ok(), followed.error().message());
  for (std::thread& publisher : publishers) publisher.join();
  runtime.shutdown();
}

TEST_CASE("after detaching no sink runs, whatever is published meanwhile") {
  MemoryEventBus bus;
  std::atomic<bool> stop{false};
  std::latch publishing(1);
  std::thread publisher([&] {
    (void)bus.publish_now("t", Bytes());
    publishing.count_down();
    while (!stop) (void)bus.publish_now("t", Bytes());
  });
  publishing.wait();
  int late = 0;
  for (int i = 0; i < 500; ++i) {
    bool gone = false;  // not atomic: only the promise keeps the sink from racing with it
    Attached attached = bus.attach("t", [&](const BusEvent&) { late += gone ? 1 : 0; }).value();
    attached.close();
    gone = true;
  }
  stop = true;
  publisher.join();
  CHECK(late == 0);
  CHECK(bus.followers("t") == 0);
}

}  // namespace
