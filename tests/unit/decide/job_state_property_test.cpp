// Random lives of jobs among workers that die, wake up late and settle twice.
#include <array>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "decide/job_state.hpp"

using namespace aiserve::decide;

namespace {

class Life {
 public:
  explicit Life(std::uint64_t seed)
      : random_(seed), rules_{.max_attempts = 1 + below(4), .max_crashes = 1 + below(4)} {
    job_ = enqueued(static_cast<Nanos>(below(3)) * 10, now_);
  }

  void run(int events) {
    for (int i = 0; i < events; ++i) {
      now_ += below(8);
      const JobEvent event = any_event();
      const JobCore before = job_;
      const JobStep next = step(before, event, rules_, now_);
      job_ = next.job;
      check(before, event, next.refusal);
      if (event.kind == JobEventKind::claim && next.refusal == Refusal::none) note_claim();
    }
  }

  const std::array<int, kJobStates>& reached() const { return reached_; }
  int stale() const { return stale_; }

 private:
  std::uint32_t below(std::uint32_t bound) {
    return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(random_);
  }

  // Half of what workers say comes from an attempt they once had, the rest from the latest.
  JobEvent any_event() {
    JobEvent event;
    const bool claims = below(3) == 0;
    event.kind = claims ? JobEventKind::claim : static_cast<JobEventKind>(below(kJobEvents));
    event.at = now_ + below(20) - 5;
    if (event.kind == JobEventKind::claim) {
      event.fence.worker = 1 + below(3);
    } else if (!claims_.empty()) {
      event.fence = below(2) == 0 ? claims_.back()
                                  : claims_[below(static_cast<std::uint32_t>(claims_.size()))];
    }
    return event;
  }

  void note_claim() {
    for (const Fence& earlier : claims_) CHECK(earlier.attempt < job_.fence.attempt);
    claims_.push_back(job_.fence);
    ++claims_since_redrive_;
  }

  void check(const JobCore& before, const JobEvent& event, Refusal refusal) {
    if (refusal == Refusal::stale) ++stale_;
    if (refusal != Refusal::none) {
      CHECK(job_ == before);
      return;
    }
    ++reached_[static_cast<std::size_t>(job_.state)];
    check_counters();
    check_outcome(before, event);
    if (job_.state == JobState::available) CHECK(job_.run_at <= now_);
  }

  void check_counters() const {
    CHECK(job_.excused <= job_.fence.attempt);
    CHECK(job_.used_attempts() <= rules_.max_attempts);
    CHECK(job_.crashes <= rules_.max_crashes);
    CHECK((job_.state == JobState::discarded) == (job_.discard_reason != DiscardReason::none));
    if (job_.cancel_requested) CHECK(job_.state == JobState::running);
  }

  // One outcome per life, recorded by the attempt that runs; only a redrive begins another life.
  void check_outcome(const JobCore& before, const JobEvent& event) {
    const bool redriven = event.kind == JobEventKind::redrive;
    if (redriven) claims_since_redrive_ = 0;
    CHECK(is_final(before.state) == redriven);
    if (before.state == JobState::running && event.kind != JobEventKind::cancel_requested) {
      CHECK(event.fence == claims_.back());
      CHECK(job_.state != JobState::running);
    }
    if (job_.state == JobState::completed) CHECK(event.kind == JobEventKind::settle_done);
    if (job_.discard_reason == DiscardReason::exhausted) {
      CHECK(job_.used_attempts() == rules_.max_attempts);
      CHECK(claims_since_redrive_ >= rules_.max_attempts);
    }
  }

  std::mt19937_64 random_;
  JobRules rules_;
  JobCore job_;
  Nanos now_ = 0;
  std::vector<Fence> claims_;
  std::uint32_t claims_since_redrive_ = 0;
  std::array<int, kJobStates> reached_{};
  int stale_ = 0;
};

}  // namespace

TEST_CASE("over random lives each records one outcome, by the attempt that runs it") {
  std::array<int, kJobStates> reached{};
  int stale = 0;
  for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
    CAPTURE(seed);
    Life life(seed);
    life.run(300);
    for (std::size_t i = 0; i < kJobStates; ++i) reached[i] += life.reached()[i];
    stale += life.stale();
  }
  for (const int count : reached) CHECK(count > 1'000);
  CHECK(stale > 1'000);
}
