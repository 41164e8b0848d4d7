#include <aiserve/core/bounded_label.hpp>

#include <random>
#include <thread>

#include <doctest/doctest.h>

using aiserve::BoundedCounter;
using aiserve::BoundedLabel;

TEST_CASE("sums are kept while threads count, names change hands and a reader looks on") {
  constexpr int kThreads = 4;
  constexpr int kCounts = 5'000;
  BoundedLabel label({.top = 5, .half_life = 1000});
  BoundedCounter counter(label);
  BoundedCounter weighted(label);
  std::atomic<bool> done{false};
  std::atomic<bool> invented{false};
  std::thread reader([&] {
    while (!done) {
      std::uint64_t sum = 0;
      for (const auto& value : counter.values()) sum += value.count;
      if (sum > kThreads * kCounts) invented = true;
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<std::uint64_t>(t));
      for (int i = 0; i < kCounts; ++i) {
        // The favourites move on, so that names change.
        const std::uint64_t tenant = random() % 8 + static_cast<std::uint64_t>(i / 500) * 4;
        const auto slot = label.slot("tenant-" + std::to_string(tenant));
        counter.inc(slot);
        weighted.inc(slot, 3);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  done = true;
  reader.join();
  CHECK_FALSE(invented);
  std::uint64_t sum = 0;
  for (const auto& value : counter.values()) sum += value.count;
  CHECK(sum == kThreads * kCounts);
  sum = 0;
  for (const auto& value : weighted.values()) sum += value.count;
  CHECK(sum == 3 * kThreads * kCounts);
}
