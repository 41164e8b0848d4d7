#include "decide/job_state.hpp"

#include <algorithm>

namespace aiserve::inline v0::decide {
namespace {

/// A cell of the table: refuse, or do something to the job.
struct Cell {
  Refusal refusal = Refusal::none;
  void (*apply)(JobCore&, const JobEvent&, const JobRules&, Nanos now) noexcept = nullptr;
};
using Row = std::array<Cell, kJobEvents>;

void wait(JobCore& job, JobState until_then, Nanos at, Nanos now) noexcept {
  job.state = at > now ? until_then : JobState::available;
  job.run_at = at;
}

void finish(JobCore& job, JobState state, DiscardReason reason = DiscardReason::none) noexcept {
  job.state = state;
  job.discard_reason = reason;
}

void excuse(JobCore& job, Nanos at, Nanos now) noexcept {
  ++job.excused;
  if (job.cancel_requested) return finish(job, JobState::cancelled);
  wait(job, JobState::scheduled, at, now);
}

void try_again(JobCore& job, const JobRules& rules, Nanos at, Nanos now) noexcept {
  if (job.cancel_requested) return finish(job, JobState::cancelled);
  if (job.crashes >= rules.max_crashes) {
    return finish(job, JobState::discarded, DiscardReason::poison);
  }
  if (job.used_attempts() >= rules.max_attempts) {
    return finish(job, JobState::discarded, DiscardReason::exhausted);
  }
  wait(job, JobState::retryable, at, now);
}

void apply_due(JobCore& job, const JobEvent&, const JobRules&, Nanos) noexcept {
  job.state = JobState::available;
}

void apply_claim(JobCore& job, const JobEvent& event, const JobRules&, Nanos) noexcept {
  job.state = JobState::running;
  job.fence = {.attempt = job.fence.attempt + 1, .worker = event.fence.worker};
}

void apply_done(JobCore& job, const JobEvent&, const JobRules&, Nanos) noexcept {
  finish(job, JobState::completed);
}

// An attempt that ends by itself shows that the job doesn't always take its worker with it.
void apply_retry(JobCore& job, const JobEvent& event, const JobRules& rules, Nanos now) noexcept {
  job.crashes = 0;
  try_again(job, rules, event.at, now);
}

void apply_snooze(JobCore& job, const JobEvent& event, const JobRules&, Nanos now) noexcept {
  job.crashes = 0;
  excuse(job, event.at, now);
}

void apply_cancel(JobCore& job, const JobEvent&, const JobRules&, Nanos) noexcept {
  finish(job, JobState::cancelled);
}

void apply_discard(JobCore& job, const JobEvent&, const JobRules&, Nanos) noexcept {
  finish(job, JobState::discarded, DiscardReason::by_handler);
}

void apply_give_back(JobCore& job, const JobEvent& event, const JobRules&, Nanos now) noexcept {
  excuse(job, std::max(event.at, now), now);
}

void apply_crash(JobCore& job, const JobEvent& event, const JobRules& rules, Nanos now) noexcept {
  ++job.crashes;
  try_again(job, rules, event.at, now);
}

void apply_ask(JobCore& job, const JobEvent&, const JobRules&, Nanos) noexcept {
  job.cancel_requested = true;
}

void apply_expire(JobCore& job, const JobEvent&, const JobRules&, Nanos) noexcept {
  finish(job, JobState::discarded, DiscardReason::expired);
}

void apply_redrive(JobCore& job, const JobEvent& event, const JobRules&, Nanos now) noexcept {
  job.discard_reason = DiscardReason::none;
  job.excused = job.fence.attempt;
  job.crashes = 0;
  wait(job, JobState::scheduled, event.at, now);
}

constexpr Cell refuse(Refusal refusal) { return {.refusal = refusal}; }

constexpr Cell kNotRunning = refuse(Refusal::not_running);
constexpr Cell kFinal = refuse(Refusal::already_final);
constexpr Cell kRunning = refuse(Refusal::already_running);
constexpr Cell kEarly = refuse(Refusal::not_available);
constexpr Cell kWaiting = refuse(Refusal::already_waiting);
constexpr Cell kNoRedrive = refuse(Refusal::not_redrivable);
constexpr Cell kDue = {.apply = apply_due};
constexpr Cell kClaim = {.apply = apply_claim};
constexpr Cell kDone = {.apply = apply_done};
constexpr Cell kRetry = {.apply = apply_retry};
constexpr Cell kSnooze = {.apply = apply_snooze};
constexpr Cell kCancel = {.apply = apply_cancel};
constexpr Cell kDiscard = {.apply = apply_discard};
constexpr Cell kGiveBack = {.apply = apply_give_back};
constexpr Cell kCrash = {.apply = apply_crash};
constexpr Cell kAsk = {.apply = apply_ask};
constexpr Cell kExpire = {.apply = apply_expire};
constexpr Cell kRedrive = {.apply = apply_redrive};

// clang-format off
// One column per event, in the order of JobEventKind: due, claim | settle_done, retry, snooze,
// cancel, discard | give_back, lease_lost, cancel_requested | expire, redrive.
constexpr std::array<Row, kJobStates> kTable = {{
  /* scheduled */ {kDue, kEarly, kNotRunning, kNotRunning, kNotRunning, kNotRunning, kNotRunning,
                   kNotRunning, kNotRunning, kCancel, kExpire, kNoRedrive},
  /* available */ {kWaiting, kClaim, kNotRunning, kNotRunning, kNotRunning, kNotRunning, kNotRunning,
                   kNotRunning, kNotRunning, kCancel, kExpire, kNoRedrive},
  /* running   */ {kRunning, kRunning, kDone, kRetry, kSnooze, kCancel, kDiscard,
                   kGiveBack, kCrash, kAsk, kRunning, kNoRedrive},
  /* retryable */ {kDue, kEarly, kNotRunning, kNotRunning, kNotRunning, kNotRunning, kNotRunning,
                   kNotRunning, kNotRunning, kCancel, kExpire, kNoRedrive},
  /* completed */ {kFinal, kFinal, kNotRunning, kNotRunning, kNotRunning, kNotRunning, kNotRunning,
                   kNotRunning, kNotRunning, kFinal, kFinal, kNoRedrive},
  /* cancelled */ {kFinal, kFinal, kNotRunning, kNotRunning, kNotRunning, kNotRunning, kNotRunning,
                   kNotRunning, kNotRunning, kFinal, kFinal, kRedrive},
  /* discarded */ {kFinal, kFinal, kNotRunning, kNotRunning, kNotRunning, kNotRunning, kNotRunning,
                   kNotRunning, kNotRunning, kFinal, kFinal, kRedrive},
}};
// clang-format on

bool is_fenced(JobEventKind kind) noexcept {
  return kind >= JobEventKind::settle_done && kind <= JobEventKind::lease_lost;
}

Refusal check(const JobCore& job, const Cell& cell, const JobEvent& event, Nanos now) noexcept {
  if (cell.refusal != Refusal::none) return cell.refusal;
  if (is_fenced(event.kind) && event.fence != job.fence) return Refusal::stale;
  if (event.kind == JobEventKind::due && job.run_at > now) return Refusal::not_due;
  return Refusal::none;
}

}  // namespace

JobCore enqueued(Nanos run_at, Nanos now) noexcept {
  JobCore job;
  wait(job, JobState::scheduled, run_at, now);
  return job;
}

JobStep step(const JobCore& job, const JobEvent& event, const JobRules& rules, Nanos now) noexcept {
  const Cell& cell =
      kTable[static_cast<std::size_t>(job.state)][static_cast<std::size_t>(event.kind)];
  JobStep result{.job = job, .refusal = check(job, cell, event, now)};
  if (result.refusal != Refusal::none) return result;
  cell.apply(result.job, event, rules, now);
  if (result.job.state != JobState::running) result.job.cancel_requested = false;
  return result;
}

namespace {

template <class Enum, std::size_t kSize>
std::string_view name_of(Enum value, const std::array<std::string_view, kSize>& names) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < kSize ? names[index] : "unknown";
}

constexpr std::array<std::string_view, kJobStates> kStateNames = {
    "scheduled", "available", "running", "retryable", "completed", "cancelled", "discarded"};

constexpr std::array<std::string_view, kJobEvents> kEventNames = {
    "due",           "claim",          "settle_done", "settle_retry", "settle_snooze",
    "settle_cancel", "settle_discard", "give_back",   "lease_lost",   "cancel_requested",
    "expire",        "redrive"};

constexpr std::array<std::string_view, 9> kRefusalNames = {
    "none",          "already_final",   "not_running", "stale",         "already_running",
    "not_available", "already_waiting", "not_due",     "not_redrivable"};

constexpr std::array<std::string_view, 5> kReasonNames = {"none", "by_handler", "exhausted",
                                                          "poison", "expired"};

}  // namespace

std::string_view to_string(JobState state) noexcept { return name_of(state, kStateNames); }

std::optional<JobState> job_state_of(std::string_view name) noexcept {
  const auto found = std::find(kStateNames.begin(), kStateNames.end(), name);
  if (found == kStateNames.end()) return std::nullopt;
  return static_cast<JobState>(found - kStateNames.begin());
}

std::string_view to_string(JobEventKind event) noexcept { return name_of(event, kEventNames); }
std::string_view to_string(Refusal refusal) noexcept { return name_of(refusal, kRefusalNames); }
std::string_view to_string(DiscardReason reason) noexcept { return name_of(reason, kReasonNames); }

}  // namespace aiserve::inline v0::decide
