#include "decide/job_retention.hpp"

#include <array>
#include <random>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr RetentionPolicy kPolicy{
    .completed = 100, .cancelled = 50, .discarded = 1'000, .result = 10};

}  // namespace

TEST_CASE("each state has its own time, results go first") {
  CHECK(prune_before(kPolicy, JobState::completed, 5'000) == 4'900);
  CHECK(prune_before(kPolicy, JobState::cancelled, 5'000) == 4'950);
  CHECK(prune_before(kPolicy, JobState::discarded, 5'000) == 4'000);
  CHECK(drop_results_before(kPolicy, 5'000) == 4'990);
  CHECK(drop_before(kPolicy, 5'000) == 4'000);
}

TEST_CASE("what is not finished, or kept for ever, never goes") {
  for (const JobState state :
       {JobState::scheduled, JobState::available, JobState::running, JobState::retryable}) {
    CHECK(prune_before(kPolicy, state, kNever) == INT64_MIN);
    CHECK(keep_until(kPolicy, state, 5) == kNever);
  }
  const RetentionPolicy forever{.completed = kNever};
  CHECK(prune_before(forever, JobState::completed, 5'000) == INT64_MIN);
  CHECK(drop_before(forever, 5'000) == INT64_MIN);
}

TEST_CASE("a job goes when its cut-off says so, a partition when everything in it may") {
  std::mt19937_64 random(37);
  const auto up_to = [&random](std::uint64_t most) { return static_cast<Nanos>(random() % most); };
  constexpr std::array kFinal = {JobState::completed, JobState::cancelled, JobState::discarded};
  for (int i = 0; i < 20'000; ++i) {
    const RetentionPolicy policy{up_to(500), up_to(500), up_to(500), up_to(500)};
    const JobState state = kFinal[random() % kFinal.size()];
    const Nanos finished = up_to(1'000);
    const Nanos now = up_to(2'000);
    const bool goes = finished < prune_before(policy, state, now);
    CHECK(goes == (now > keep_until(policy, state, finished)));
    if (finished < drop_before(policy, now)) CHECK(goes);
  }
}
