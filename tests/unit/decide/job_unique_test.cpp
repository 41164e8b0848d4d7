#include "decide/job_unique.hpp"

#include <doctest/doctest.h>

using namespace aiserve::decide;

TEST_CASE("what is unfinished always holds its key, what is finished as its scope says") {
  const UniqueScope none{.completed = false};
  const UniqueScope all{.completed = true, .cancelled = true, .discarded = true};
  for (std::size_t i = 0; i < kJobStates; ++i) {
    const auto state = static_cast<JobState>(i);
    CAPTURE(to_string(state));
    CHECK(holds_key(none, state) == !is_final(state));
    CHECK(holds_key(all, state));
    CHECK(holds_key({}, state) == (!is_final(state) || state == JobState::completed));
  }
}

TEST_CASE("time is cut into windows of the period, before 1970 too") {
  const UniqueScope hourly{.period = 3'600};
  CHECK(unique_window(hourly, 0) == 0);
  CHECK(unique_window(hourly, 3'599) == 0);
  CHECK(unique_window(hourly, 3'600) == 1);
  CHECK(unique_window(hourly, -1) == -1);
  CHECK(unique_window(hourly, -3'600) == -1);
  CHECK(unique_window(hourly, -3'601) == -2);
}

TEST_CASE("without a period there is one window") {
  CHECK(unique_window({}, 0) == unique_window({}, kNever));
  CHECK(unique_window({.period = -5}, 77) == 0);
}
