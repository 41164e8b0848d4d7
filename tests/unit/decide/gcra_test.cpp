#include "decide/gcra.hpp"

#include <deque>
#include <random>

#include <doctest/doctest.h>

namespace aiserve::decide {
namespace {

constexpr Nanos kSecond = 1'000'000'000;

// The same rule as a bucket of tokens, counted in intervals and their parts.
class Bucket {
 public:
  Bucket(GcraLimit limit, Nanos now)
      : limit_(limit), level_(limit.interval * limit.burst), at_(now) {}
  bool take(Nanos now) {
    level_ = std::min(limit_.interval * limit_.burst, level_ + (now - at_));
    at_ = now;
    if (level_ < limit_.interval) return false;
    level_ -= limit_.interval;
    return true;
  }

 private:
  GcraLimit limit_;
  Nanos level_;
  Nanos at_;
};

TEST_CASE("a burst is let through, then one request per interval") {
  const GcraLimit limit{kSecond / 10, 3};
  Nanos tat = 0;
  Nanos now = 5 * kSecond;
  for (int left = 2; left >= 0; --left) {
    const GcraVerdict verdict = gcra_take(tat, limit, now);
    CHECK(verdict.allowed);
    CHECK(verdict.remaining == left);
  }
  const GcraVerdict refused = gcra_take(tat, limit, now);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.retry_after == kSecond / 10);
  CHECK(refused.full_after == 3 * kSecond / 10);
  now += refused.retry_after - 1;
  CHECK_FALSE(gcra_take(tat, limit, now).allowed);
  CHECK(gcra_take(tat, limit, now + 1).allowed);
}

TEST_CASE("looking takes nothing, and what is refused costs nothing") {
  const GcraLimit limit{kSecond, 1};
  Nanos tat = 0;
  CHECK(gcra_look(tat, limit, kSecond).remaining == 1);
  CHECK(gcra_take(tat, limit, kSecond).allowed);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(gcra_take(tat, limit, kSecond).allowed);
  CHECK(gcra_take(tat, limit, 2 * kSecond).allowed);
}

TEST_CASE("a clock that jumps back locks nobody out for longer than the window") {
  const GcraLimit limit{kSecond, 2};
  Nanos tat = 0;
  CHECK(gcra_take(tat, limit, 1000 * kSecond).allowed);
  const GcraVerdict back = gcra_take(tat, limit, 10 * kSecond);
  CHECK_FALSE(back.allowed);
  CHECK(back.retry_after == kSecond);
  CHECK(back.full_after == 2 * kSecond);
}

TEST_CASE("it decides as a bucket of tokens does, for random limits and times") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const GcraLimit limit{static_cast<Nanos>(1 + random() % 1000),
                          static_cast<std::int64_t>(1 + random() % 20)};
    Nanos now = static_cast<Nanos>(random() % 1'000'000);
    Bucket bucket(limit, now);
    Nanos tat = 0;
    for (int i = 0; i < 300; ++i) {
      now += static_cast<Nanos>(random() % static_cast<std::uint64_t>(2 * limit.interval));
      if (random() % 20 == 0) now += limit.interval * limit.burst * 2;
      CHECK(gcra_take(tat, limit, now).allowed == bucket.take(now));
    }
  }
}

}  // namespace
}  // namespace aiserve::decide
