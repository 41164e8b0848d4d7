#include "core/log_limiter.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>

using aiserve::LogLevel;
using aiserve::LogRepeats;
using aiserve::TimePoint;
using aiserve::detail::LogLimiter;
using namespace std::chrono_literals;

namespace {
constexpr TimePoint kStart{1000s};
constexpr LogRepeats kThreeIn10s{.burst = 3, .interval = 10s};

bool writes(LogLimiter& limiter, std::string_view message, TimePoint now) {
  return limiter.on_message(LogLevel::warn, message, now).write;
}
}  // namespace

TEST_CASE("a message is written as often as the burst says and no more in its interval") {
  LogLimiter limiter(kThreeIn10s);
  for (int i = 0; i < 3; ++i) CHECK(writes(limiter, "full", kStart + i * 1s));
  for (int i = 0; i < 5; ++i) CHECK_FALSE(writes(limiter, "full", kStart + 9s));
  CHECK(writes(limiter, "other", kStart + 9s));
}

TEST_CASE("the first message after the interval tells how many were left out") {
  LogLimiter limiter(kThreeIn10s);
  for (int i = 0; i < 8; ++i) limiter.on_message(LogLevel::warn, "full", kStart);
  const auto verdict = limiter.on_message(LogLevel::warn, "full", kStart + 10s);
  CHECK(verdict.write);
  REQUIRE(verdict.told);
  CHECK(verdict.told->count == 5);
  CHECK(verdict.told->message() == "full");
  CHECK(verdict.told->level == LogLevel::warn);
  const auto next = limiter.on_message(LogLevel::warn, "full", kStart + 11s);
  CHECK(next.write);
  CHECK_FALSE(next.told);
}

TEST_CASE("the same text at another level is another message") {
  LogLimiter limiter({.burst = 1, .interval = 10s});
  CHECK(limiter.on_message(LogLevel::warn, "x", kStart).write);
  CHECK(limiter.on_message(LogLevel::error, "x", kStart).write);
  CHECK_FALSE(limiter.on_message(LogLevel::error, "x", kStart).write);
}

TEST_CASE("what was left out is told once, when its interval is over") {
  LogLimiter limiter({.burst = 1, .interval = 10s});
  for (int i = 0; i < 4; ++i) limiter.on_message(LogLevel::error, "a", kStart);
  CHECK_FALSE(limiter.next_told(kStart + 9s));
  const auto told = limiter.next_told(kStart + 10s);
  REQUIRE(told);
  CHECK(told->count == 3);
  CHECK_FALSE(limiter.next_told(kStart + 11s));
}

TEST_CASE("more messages than the table holds lose none of the suppressed") {
  LogLimiter limiter({.burst = 1, .interval = 10s});
  std::uint64_t written = 0;
  std::uint64_t told = 0;
  constexpr std::uint64_t kMessages = 3000;
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    const std::string message = "message " + std::to_string(i);
    for (int repeat = 0; repeat < 4; ++repeat) {
      const auto verdict = limiter.on_message(LogLevel::warn, message, kStart);
      if (verdict.write) ++written;
      if (verdict.told) told += verdict.told->count;
    }
  }
  while (const auto rest = limiter.next_told()) told += rest->count;
  CHECK(written == kMessages);
  CHECK(told == 3 * kMessages);
}

TEST_CASE("a long message is remembered by its beginning and does not mix with its like") {
  LogLimiter limiter({.burst = 1, .interval = 10s});
  const std::string text(500, 'x');
  CHECK(writes(limiter, text + "a", kStart));
  CHECK(writes(limiter, text + "b", kStart));
  CHECK_FALSE(writes(limiter, text + "a", kStart));
  const auto told = limiter.next_told();
  REQUIRE(told);
  CHECK(told->message() == text.substr(0, 96));
}
