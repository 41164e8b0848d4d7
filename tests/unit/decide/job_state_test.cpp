#include "decide/job_state.hpp"

#include <array>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr Nanos kNow = 1'000;
constexpr Nanos kLater = 2'000;
constexpr Fence kClaimed{.attempt = 2, .worker = 7};

JobCore job_in(JobState state) {
  JobCore job;
  job.state = state;
  job.fence = kClaimed;
  job.run_at = kNow;
  return job;
}

JobStep happen(const JobCore& job, JobEventKind kind, Nanos at = kLater, JobRules rules = {}) {
  return step(job, {.kind = kind, .fence = job.fence, .at = at}, rules, kNow);
}

template <class Body>
void for_each_cell(Body body) {
  for (std::size_t state = 0; state < kJobStates; ++state) {
    for (std::size_t event = 0; event < kJobEvents; ++event) {
      body(static_cast<JobState>(state), static_cast<JobEventKind>(event));
    }
  }
}

// What follows on every event, or why it is refused; events in the order of JobEventKind.
constexpr std::string_view kWaits = "not_running";
using Expected = std::array<std::string_view, kJobEvents>;
constexpr std::array<Expected, kJobStates> kExpected = {{
    {"available", "not_available", kWaits, kWaits, kWaits, kWaits, kWaits, kWaits, kWaits,
     "cancelled", "discarded", "not_redrivable"},
    {"already_waiting", "running", kWaits, kWaits, kWaits, kWaits, kWaits, kWaits, kWaits,
     "cancelled", "discarded", "not_redrivable"},
    {"already_running", "already_running", "completed", "retryable", "scheduled", "cancelled",
     "discarded", "scheduled", "retryable", "running", "already_running", "not_redrivable"},
    {"available", "not_available", kWaits, kWaits, kWaits, kWaits, kWaits, kWaits, kWaits,
     "cancelled", "discarded", "not_redrivable"},
    {"already_final", "already_final", kWaits, kWaits, kWaits, kWaits, kWaits, kWaits, kWaits,
     "already_final", "already_final", "not_redrivable"},
    {"already_final", "already_final", kWaits, kWaits, kWaits, kWaits, kWaits, kWaits, kWaits,
     "already_final", "already_final", "scheduled"},
    {"already_final", "already_final", kWaits, kWaits, kWaits, kWaits, kWaits, kWaits, kWaits,
     "already_final", "already_final", "scheduled"},
}};

}  // namespace

TEST_CASE("every state answers every event as the table says, or names why it does not") {
  for_each_cell([](JobState state, JobEventKind event) {
    CAPTURE(to_string(state));
    CAPTURE(to_string(event));
    const JobStep next = happen(job_in(state), event);
    const std::string_view expected =
        kExpected[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
    const bool refused = next.refusal != Refusal::none;
    CHECK((refused ? to_string(next.refusal) : to_string(next.job.state)) == expected);
  });
}

TEST_CASE("a refused event changes nothing") {
  for_each_cell([](JobState state, JobEventKind event) {
    const JobCore job = job_in(state);
    const JobStep next = happen(job, event);
    if (next.refusal != Refusal::none) CHECK(next.job == job);
  });
}

TEST_CASE("only the attempt and the worker of the claim may settle, give back or lose the lease") {
  const JobCore job = job_in(JobState::running);
  for (auto kind = JobEventKind::settle_done; kind <= JobEventKind::lease_lost;
       kind = static_cast<JobEventKind>(static_cast<int>(kind) + 1)) {
    CAPTURE(to_string(kind));
    CHECK(step(job, {.kind = kind, .fence = {1, 7}}, {}, kNow).refusal == Refusal::stale);
    CHECK(step(job, {.kind = kind, .fence = {3, 7}}, {}, kNow).refusal == Refusal::stale);
    CHECK(step(job, {.kind = kind, .fence = {2, 8}}, {}, kNow).refusal == Refusal::stale);
    CHECK(step(job, {.kind = kind, .fence = {2, 7}}, {}, kNow).refusal == Refusal::none);
  }
}

TEST_CASE("a job is available as soon as its time has come, not before") {
  CHECK(enqueued(kNow, kNow).state == JobState::available);
  CHECK(enqueued(-5, kNow).state == JobState::available);
  const JobCore job = enqueued(kNow + 1, kNow);
  CHECK(job.state == JobState::scheduled);
  const JobEvent due{.kind = JobEventKind::due};
  CHECK(step(job, due, {}, kNow).refusal == Refusal::not_due);
  CHECK(step(job, due, {}, kNow + 1).job.state == JobState::available);
}

TEST_CASE("a retry, snooze or redrive whose time has passed is available at once") {
  const JobCore running = job_in(JobState::running);
  CHECK(happen(running, JobEventKind::settle_retry, kNow).job.state == JobState::available);
  CHECK(happen(running, JobEventKind::settle_snooze, kNow).job.state == JobState::available);
  CHECK(happen(running, JobEventKind::lease_lost, 0).job.state == JobState::available);
  CHECK(happen(job_in(JobState::discarded), JobEventKind::redrive, 0).job.state ==
        JobState::available);
}

TEST_CASE("a claim numbers the attempt and notes the worker") {
  const JobEvent claim{.kind = JobEventKind::claim, .fence = {.attempt = 99, .worker = 12}};
  const JobCore job = step(job_in(JobState::available), claim, {}, kNow).job;
  CHECK(job.fence == Fence{.attempt = 3, .worker = 12});
  CHECK(job.used_attempts() == 3);
}

TEST_CASE("a snooze and a return use no attempt, a retry and a lost lease do") {
  const JobCore job = job_in(JobState::running);
  CHECK(happen(job, JobEventKind::settle_snooze).job.used_attempts() == 1);
  CHECK(happen(job, JobEventKind::give_back).job.used_attempts() == 1);
  CHECK(happen(job, JobEventKind::settle_retry).job.used_attempts() == 2);
  CHECK(happen(job, JobEventKind::lease_lost).job.used_attempts() == 2);
}

TEST_CASE("the last attempt that fails, or whose worker is lost, discards the job as exhausted") {
  const JobRules rules{.max_attempts = 2};
  for (const auto kind : {JobEventKind::settle_retry, JobEventKind::lease_lost}) {
    const JobCore job = happen(job_in(JobState::running), kind, kLater, rules).job;
    CHECK(job.state == JobState::discarded);
    CHECK(job.discard_reason == DiscardReason::exhausted);
  }
  CHECK(happen(job_in(JobState::running), JobEventKind::settle_snooze, kLater, rules).job.state ==
        JobState::scheduled);
}

TEST_CASE("a job that takes its worker with it again and again is quarantined as poison") {
  const JobRules rules{.max_attempts = 100, .max_crashes = 3};
  JobCore job = enqueued(0, kNow);
  for (std::uint64_t worker = 1; worker <= 3; ++worker) {
    CHECK(job.state == JobState::available);
    job = step(job, {.kind = JobEventKind::claim, .fence = {.worker = worker}}, rules, kNow).job;
    job = happen(job, JobEventKind::lease_lost, 0, rules).job;
  }
  CHECK(job.state == JobState::discarded);
  CHECK(job.discard_reason == DiscardReason::poison);
}

TEST_CASE("an attempt that settles by itself ends the row of crashes, one that is given back not") {
  JobCore job = job_in(JobState::running);
  job.crashes = 2;
  CHECK(happen(job, JobEventKind::settle_retry).job.crashes == 0);
  CHECK(happen(job, JobEventKind::settle_snooze).job.crashes == 0);
  CHECK(happen(job, JobEventKind::give_back).job.crashes == 2);
}

TEST_CASE("what is given back is not before its time") {
  const JobCore later = happen(job_in(JobState::running), JobEventKind::give_back, kLater).job;
  CHECK(later.state == JobState::scheduled);
  CHECK(later.run_at == kLater);
  const JobCore now = happen(job_in(JobState::running), JobEventKind::give_back, 0).job;
  CHECK(now.state == JobState::available);
  CHECK(now.run_at == kNow);
}

TEST_CASE("a running job that is to be cancelled ends cancelled unless it gets done first") {
  const JobCore asked = happen(job_in(JobState::running), JobEventKind::cancel_requested).job;
  CHECK(asked.state == JobState::running);
  CHECK(asked.cancel_requested);
  for (const auto kind :
       {JobEventKind::settle_retry, JobEventKind::settle_snooze, JobEventKind::settle_cancel,
        JobEventKind::give_back, JobEventKind::lease_lost}) {
    CAPTURE(to_string(kind));
    const JobCore after = happen(asked, kind).job;
    CHECK(after.state == JobState::cancelled);
    CHECK_FALSE(after.cancel_requested);
  }
  CHECK(happen(asked, JobEventKind::settle_done).job.state == JobState::completed);
  CHECK(happen(asked, JobEventKind::settle_discard).job.state == JobState::discarded);
  CHECK(happen(asked, JobEventKind::cancel_requested).job == asked);
}

TEST_CASE(
    "a redrive gives all attempts back but keeps the numbering, so that zombies stay fenced") {
  JobCore job = job_in(JobState::discarded);
  job.crashes = 3;
  job.discard_reason = DiscardReason::poison;
  const JobCore again = happen(job, JobEventKind::redrive, 0).job;
  CHECK(again.used_attempts() == 0);
  CHECK(again.crashes == 0);
  CHECK(again.discard_reason == DiscardReason::none);
  CHECK(again.fence.attempt == 2);
  const JobEvent claim{.kind = JobEventKind::claim, .fence = {.worker = 7}};
  const JobCore running = step(again, claim, {}, kNow).job;
  CHECK(step(running, {.kind = JobEventKind::settle_done, .fence = kClaimed}, {}, kNow).refusal ==
        Refusal::stale);
}

TEST_CASE("a job that did not start in time is discarded as expired, one that runs is not") {
  const JobCore late = happen(job_in(JobState::available), JobEventKind::expire).job;
  CHECK(late.state == JobState::discarded);
  CHECK(late.discard_reason == DiscardReason::expired);
  CHECK(happen(job_in(JobState::running), JobEventKind::expire).refusal ==
        Refusal::already_running);
}

TEST_CASE("every state, event, refusal and reason has a name of its own, others are unknown") {
  CHECK(to_string(JobState::retryable) == "retryable");
  CHECK(to_string(JobEventKind::redrive) == "redrive");
  CHECK(to_string(Refusal::not_redrivable) == "not_redrivable");
  CHECK(to_string(DiscardReason::expired) == "expired");
  CHECK(to_string(static_cast<JobState>(200)) == "unknown");
}

TEST_CASE("a state is read back from its name, and from nothing else") {
  for (std::size_t i = 0; i < kJobStates; ++i) {
    const auto state = static_cast<JobState>(i);
    CHECK(job_state_of(to_string(state)) == state);
  }
  for (const char* name : {"", "Running", "running ", "unknown"}) CHECK_FALSE(job_state_of(name));
}
