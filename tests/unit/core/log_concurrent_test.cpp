#include <aiserve/core/log.hpp>

#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include "core/json_guard.hpp"

using aiserve::Logger;
using aiserve::LogLevel;

TEST_CASE("lines of many threads stay whole and none is lost or counted twice") {
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  std::mutex mutex;
  std::vector<std::string> lines;
  {
    Logger log({.sink =
                    [&](LogLevel, std::string_view line) {
                      const std::scoped_lock lock(mutex);
                      lines.emplace_back(line);
                    },
                .repeats = {.burst = 7, .interval = std::chrono::hours(1)}});
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < kLines; ++i) {
          log.warn("repeated", {{"thread", t}, {"i", i}});
          log.info("each", {{"thread", t}});
          log.set_level(i % 2 == 0 ? LogLevel::debug : LogLevel::info);
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  std::uint64_t repeated = 0;
  std::uint64_t suppressed = 0;
  std::uint64_t each = 0;
  for (const std::string& line : lines) {
    const auto parsed = aiserve::detail::parse_json(line);
    REQUIRE(parsed.ok());
    if (parsed->contains("suppressed")) {
      suppressed += (*parsed)["suppressed"].get<std::uint64_t>();
    } else if ((*parsed)["msg"] == "repeated") {
      ++repeated;
    } else {
      ++each;
    }
  }
  CHECK(each == kThreads * kLines);
  CHECK(repeated == 7);
  CHECK(repeated + suppressed == kThreads * kLines);
}
