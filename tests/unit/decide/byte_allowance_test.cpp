#include "decide/byte_allowance.hpp"

#include <deque>
#include <random>

#include <doctest/doctest.h>

using namespace aiserve::decide;

TEST_CASE("an allowance is used up, and there again after a lifetime") {
  ByteAllowance allowance(100, 1'000);
  CHECK(allowance.take(50, 0));
  CHECK_FALSE(allowance.take(1, 999));
  CHECK(allowance.take(50, 1'000));
  CHECK_FALSE(ByteAllowance(0, 1'000).take(1, 0));
  CHECK_FALSE(allowance.take(SIZE_MAX, 5'000));
}

TEST_CASE("what is alive never exceeds the capacity") {
  constexpr Nanos kLifetime = 1'000;
  ByteAllowance allowance(10'000, kLifetime);
  std::deque<std::pair<Nanos, std::size_t>> alive;
  std::size_t bytes = 0;
  std::size_t most = 0;
  std::mt19937_64 random(11);
  for (Nanos now = 0; now < 100'000; now += static_cast<Nanos>(random() % 20)) {
    while (!alive.empty() && alive.front().first + kLifetime <= now) {
      bytes -= alive.front().second;
      alive.pop_front();
    }
    const std::size_t size = random() % 400;
    if (!allowance.take(size, now)) continue;
    alive.emplace_back(now, size);
    bytes += size;
    most = std::max(most, bytes);
  }
  CHECK(most <= 10'000);
  CHECK(most > 5'000);
}
