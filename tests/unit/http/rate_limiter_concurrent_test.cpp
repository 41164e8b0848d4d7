#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/http/rate_limiter.hpp"

namespace aiserve {
namespace {

using namespace std::chrono_literals;

TEST_CASE("eight threads get exactly what the limit gives, while the clock jumps") {
  constexpr int kKeys = 10;
  constexpr std::int64_t kBurst = 50;
  RateLimiter limiter({.per_second = 100, .burst = kBurst});
  std::vector<std::atomic<int>> allowed(kKeys);
  // At each of these moments the burst is full again.
  for (int round = 1; round <= 5; ++round) {
    const TimePoint now = TimePoint(1h) + round * 10s;
    std::vector<std::thread> threads;
    threads.reserve(8);
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          const int key = i % kKeys;
          if (limiter.take(std::to_string(key), now).allowed) {
            allowed[static_cast<std::size_t>(key)].fetch_add(1, std::memory_order_relaxed);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& count : allowed) CHECK(count.load() == round * kBurst);
  }
}

}  // namespace
}  // namespace aiserve
