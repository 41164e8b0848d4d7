// Rounds of a campaign: a test that is repeated with another seed each time, for as long as its
// budget lasts.
//
//   AISERVE_CAMPAIGN_SEED     of the first round, the next ones count on (default 1)
//   AISERVE_CAMPAIGN_SECONDS  for each campaign (default 3): no round begins later, but one is run
//                             however long it takes (a failover: some seconds)
//   AISERVE_CAMPAIGN_TIMES    instead of a budget: all its rounds, so many times (scripts/soak)
//   AISERVE_CAMPAIGN_ROUNDS   instead of a budget: so many rounds. 1 replays a seed that failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include <doctest/doctest.h>

namespace aiserve::inline v0::testing {

class Campaign {
 public:
  /// `rounds`: what a soak runs once.
  explicit Campaign(std::uint64_t rounds) {
    const std::uint64_t times = number("AISERVE_CAMPAIGN_TIMES", 0);
    most_ = number("AISERVE_CAMPAIGN_ROUNDS", times != 0 ? rounds * times : 0);
  }

  /// All rounds were asked for, not a budget of seconds.
  static bool soaks() { return number("AISERVE_CAMPAIGN_TIMES", 0) != 0; }

  /// `round(seed)` with every seed.
  template <class Round>
  void run(const Round& round) const {
    const std::uint64_t first = number("AISERVE_CAMPAIGN_SEED", 1);
    const auto end = Clock::now() + std::chrono::seconds(number("AISERVE_CAMPAIGN_SECONDS", 3));
    std::uint64_t done = 0;
    do {
      const std::uint64_t seed = first + done;
      INFO("replay: AISERVE_CAMPAIGN_ROUNDS=1 AISERVE_CAMPAIGN_SEED=", seed);
      round(seed);
      ++done;
    } while (most_ != 0 ? done < most_ : Clock::now() < end);
    MESSAGE(done, " rounds from seed ", first);
  }

 private:
  using Clock = std::chrono::steady_clock;

  static std::uint64_t number(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr && *text != '\0' ? std::stoull(text) : otherwise;
  }

  std::uint64_t most_;  // 0: by time
};

/// Random numbers that are the same everywhere, unlike std's distributions.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  int roll(int end) { return static_cast<int>(below(static_cast<std::uint64_t>(end))); }
  bool once_in(int n) { return roll(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace aiserve::inline v0::testing
