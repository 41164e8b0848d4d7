#include "decide/start_rate.hpp"

#include <deque>
#include <random>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr Nanos kSecond = 1'000'000'000;

}  // namespace

TEST_CASE("a burst may start at once, then one per interval") {
  const StartRate limit{.per_second = 2, .burst = 3};
  const Nanos now = 100 * kSecond;
  CHECK(may_start(limit, 0, now) == 3);
  Nanos spent = spend(limit, 0, 2, now);
  CHECK(may_start(limit, spent, now) == 1);
  spent = spend(limit, spent, 1, now);
  CHECK(may_start(limit, spent, now) == 0);
  CHECK(next_start(limit, spent) == now + kSecond / 2);
  CHECK(may_start(limit, spent, now + kSecond / 2 - 1) == 0);
  CHECK(may_start(limit, spent, now + kSecond / 2) == 1);
  CHECK(may_start(limit, spent, now + kSecond) == 2);
  CHECK(may_start(limit, spent, now + 90 * kSecond) == 3);
}

TEST_CASE("without a rate there is no limit") {
  CHECK(may_start({}, 0, 5) == SIZE_MAX);
  CHECK(spend({}, 7, 1'000'000, 5) == 7);
  CHECK(next_start({}, 7) == INT64_MIN);
}

TEST_CASE("what is not started after all may be started again") {
  const StartRate limit{.per_second = 2, .burst = 3};
  const Nanos now = 100 * kSecond;
  const Nanos spent = spend(limit, 0, 3, now);
  CHECK(may_start(limit, unspend(limit, spent, 2), now) == 2);
  CHECK(unspend(limit, spent, 3) == now);
  CHECK(unspend(limit, kSecond, 100) == 0);
  CHECK(unspend(limit, kSecond, SIZE_MAX) == 0);
  CHECK(unspend(limit, spent, 0) == spent);
  CHECK(unspend({}, 7, 5) == 7);
}

TEST_CASE("an instant that the limit cannot have reached counts for nothing") {
  const StartRate limit{.per_second = 2, .burst = 4};
  const Nanos now = 100 * kSecond;
  const Nanos skew = 60 * kSecond;
  CHECK(plausible(limit, 0, now, skew) == 0);
  CHECK(plausible(limit, now + 2 * kSecond, now, skew) == now + 2 * kSecond);
  CHECK(plausible(limit, now + 62 * kSecond, now, skew) == now + 62 * kSecond);
  CHECK(plausible(limit, now + 62 * kSecond + 1, now, skew) == 0);
  CHECK(plausible(limit, kNever, now, skew) == 0);
  const StartRate slow{.per_second = 1e-6, .burst = UINT32_MAX};
  CHECK(plausible(slow, kNever, now, skew) == kNever);
}

TEST_CASE("extreme rates and bursts saturate") {
  const StartRate slow{.per_second = 1e-6, .burst = UINT32_MAX};
  CHECK(may_start(slow, 0, 0) == UINT32_MAX);
  CHECK(spend(slow, 0, SIZE_MAX, 0) == kNever);
  CHECK(may_start(slow, kNever, 0) > 0);
  const StartRate fast{.per_second = 1e9, .burst = 1};
  CHECK(spend(fast, 0, 1, 0) == 1);
}

TEST_CASE(
    "over random arrivals no window holds more than burst and rate allow, and none is wasted") {
  std::mt19937_64 random(19);
  for (int world = 0; world < 2'000; ++world) {
    const StartRate limit{.per_second = 1 + static_cast<double>(random() % 50),
                          .burst = 1 + static_cast<std::uint32_t>(random() % 20)};
    const double interval = 1e9 / limit.per_second;
    std::deque<Nanos> starts;
    Nanos now = 0;
    Nanos spent = 0;
    for (int i = 0; i < 60; ++i) {
      now += static_cast<Nanos>(random() % 100'000'000);
      const std::size_t wanted = 1 + random() % 4;
      const std::size_t granted = std::min(wanted, may_start(limit, spent, now));
      if (granted < wanted) CHECK(next_start(limit, spend(limit, spent, granted, now)) > now);
      spent = spend(limit, spent, granted, now);
      starts.insert(starts.end(), granted, now);
    }
    for (std::size_t first = 0; first < starts.size(); ++first) {
      const std::size_t last = std::min(first + limit.burst, starts.size() - 1);
      const double window = static_cast<double>(starts[last] - starts[first]);
      const double allowed = window / interval + limit.burst;
      CHECK(static_cast<double>(last - first + 1) <= allowed + 1e-6);
    }
  }
}
