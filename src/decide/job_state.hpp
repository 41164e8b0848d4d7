// JobState: what becomes of a durable job at every event: one table, and the counters beside it.
// Pure.
//
//   enqueue -> scheduled -> available -> running -> completed | cancelled | discarded
//                  ^  (due)     ^  ^         |                        |
//                  |            |  +- retryable <- (retry)            |
//                  +- (snooze) -+--- (give back, lease lost) <---+    |
//                               +------------- (redrive) ------------+
//
// A store keeps a JobCore per job, hands it to step() with an event, and writes back what comes out
// in the same transaction. Pausing is none of the states: a paused queue claims nothing.
//
// Fencing. `attempt` numbers the claims of a job and never goes back, not even by a redrive. What a
// worker says about a job it runs holds only while the job is running and both the number and the
// incarnation of the worker are those of its claim: of each job one attempt's outcome is recorded,
// however late a zombie wakes up. What counts against `max_attempts` is used_attempts(): claims
// that ended in a snooze or were given back are excused, a lost lease is not.
//
//   const JobEvent claim{.kind = JobEventKind::claim, .fence = {.worker = 7}};
//   const JobStep next = step(job, claim, rules, now);
//   if (next.refusal == Refusal::none) store(next.job);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

enum class JobState : std::uint8_t {
  scheduled,  ///< waits for its time, or for its key
  available,  ///< may be claimed
  running,
  retryable,  ///< failed, waits for its next attempt
  completed,
  cancelled,
  discarded  ///< the dead letters
};
inline constexpr std::size_t kJobStates = 7;

enum class JobEventKind : std::uint8_t {
  due,             ///< its time has come
  claim,           ///< by `fence.worker`
  settle_done,     ///< from here to give_back: said by the worker, fenced
  settle_retry,    ///< not before `at`
  settle_snooze,   ///< not before `at`, and the attempt is excused
  settle_cancel,   ///< the handler says it is pointless
  settle_discard,  ///< the handler says it can never succeed
  give_back,       ///< shutdown, or claimed and not begun: excused, not before `at`
  lease_lost,      ///< its worker's lease or its own run_until ended; fenced; not before `at`
  cancel_requested,
  expire,   ///< it had to start before now
  redrive,  ///< an operator gives it all its attempts again, not before `at`
};
inline constexpr std::size_t kJobEvents = 12;

/// Why an event changed nothing.
enum class Refusal : std::uint8_t {
  none,
  already_final,  ///< it has its outcome
  not_running,    ///< nobody runs it: what a worker says about it is late
  stale,          ///< it runs, but in another attempt or on another worker
  already_running,
  not_available,  ///< waits for its time
  already_waiting,
  not_due,
  not_redrivable,  ///< only cancelled and discarded jobs are
};

/// Why it was discarded; `none` in other states.
enum class DiscardReason : std::uint8_t {
  none,
  by_handler,
  exhausted,  ///< max_attempts
  poison,     ///< took its worker with it max_crashes times in a row
  expired,    ///< did not start in time
};

struct JobRules {
  std::uint32_t max_attempts = 5;  ///< at least 1
  std::uint32_t max_crashes = 3;   ///< at least 1
};

/// Which attempt is meant: what a claim gives and a settlement shows.
struct Fence {
  std::uint32_t attempt = 0;
  std::uint64_t worker = 0;  ///< an incarnation: a restarted process is another one

  friend bool operator==(const Fence&, const Fence&) = default;
};

/// What step() has to know of a job.
struct JobCore {
  JobState state = JobState::available;
  DiscardReason discard_reason = DiscardReason::none;
  bool cancel_requested = false;  ///< only while running
  std::uint32_t excused = 0;      ///< claims that don't count; at most fence.attempt
  std::uint32_t crashes = 0;      ///< leases lost since it last settled
  Fence fence{};                  ///< of the latest claim
  Nanos run_at = 0;               ///< while it waits: not before

  std::uint32_t used_attempts() const noexcept { return fence.attempt - excused; }

  friend bool operator==(const JobCore&, const JobCore&) = default;
};

struct JobEvent {
  JobEventKind kind = JobEventKind::due;
  Fence fence{};  ///< claim: the worker; settle_*, give_back, lease_lost: whole
  Nanos at = 0;   ///< retry, snooze, give_back, lease_lost, redrive; in the past: at once
};

struct JobStep {
  JobCore job;  ///< as it was if refused
  Refusal refusal = Refusal::none;
};

/// A new job that may run from `run_at` on.
JobCore enqueued(Nanos run_at, Nanos now) noexcept;

JobStep step(const JobCore& job, const JobEvent& event, const JobRules& rules, Nanos now) noexcept;

/// It has its outcome: only a redrive moves it.
constexpr bool is_final(JobState state) noexcept { return state >= JobState::completed; }

/// Stable: stores and metrics keep them.
std::string_view to_string(JobState state) noexcept;
std::optional<JobState> job_state_of(std::string_view name) noexcept;
std::string_view to_string(JobEventKind event) noexcept;
std::string_view to_string(Refusal refusal) noexcept;
std::string_view to_string(DiscardReason reason) noexcept;

}  // namespace aiserve::inline v0::decide
