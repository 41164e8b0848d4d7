#include "decide/attempt_limits.hpp"

#include <random>

#include <doctest/doctest.h>

using namespace aiserve::decide;

TEST_CASE("an attempt is on time, then asked to stop, then stuck") {
  const AttemptLimits limits{.soft = 100, .hard = 150};
  CHECK(attempt_stage(limits, 1'000, 1'099) == AttemptStage::on_time);
  CHECK(attempt_stage(limits, 1'000, 1'100) == AttemptStage::asked_to_stop);
  CHECK(attempt_stage(limits, 1'000, 1'149) == AttemptStage::asked_to_stop);
  CHECK(attempt_stage(limits, 1'000, 1'150) == AttemptStage::stuck);
  CHECK(run_until(limits, 1'000) == 1'150);
}

TEST_CASE("without a soft limit the hard one stops it, without limits it may run for ever") {
  CHECK(stop_at({.hard = 150}, 1'000) == 1'150);
  CHECK(stop_at({.soft = 500, .hard = 150}, 1'000) == 1'150);
  const AttemptLimits none{.hard = kNever};
  CHECK(run_until(none, 1'000) == kNever);
  CHECK(attempt_stage(none, 1'000, kNever - 1) == AttemptStage::on_time);
}

TEST_CASE("over random limits stages only follow one another, and none outlives run_until") {
  std::mt19937_64 random(53);
  for (int i = 0; i < 10'000; ++i) {
    const AttemptLimits limits{static_cast<Nanos>(1 + random() % 100),
                               static_cast<Nanos>(1 + random() % 100)};
    AttemptStage before = AttemptStage::on_time;
    for (Nanos now = 5; now < 120; now += 1 + static_cast<Nanos>(random() % 9)) {
      const AttemptStage stage = attempt_stage(limits, 5, now);
      CHECK(stage >= before);
      CHECK((stage == AttemptStage::stuck) == (now >= run_until(limits, 5)));
      before = stage;
    }
  }
}
