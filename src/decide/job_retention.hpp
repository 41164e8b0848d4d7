// JobRetention: how long finished jobs are kept. Pure.
//
// By state, because a dead letter waits for a human and a completed job for nobody. The result may
// go before the rest of the job. The cut-offs say the same for whole tables: a row that finished
// before its cut-off goes, a day's partition goes when it ended before drop_before().
#pragma once

#include "decide/job_state.hpp"
#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

/// Durations after the outcome, >= 0; kNever: for ever.
struct RetentionPolicy {
  Nanos completed = 24 * 3600'000'000'000;
  Nanos cancelled = 24 * 3600'000'000'000;
  Nanos discarded = 14 * 24 * 3600'000'000'000;
  Nanos result = 24 * 3600'000'000'000;  ///< at most as long as the job
};

/// Jobs of the state that finished before it may go; INT64_MIN: none. Unfinished jobs never do.
Nanos prune_before(const RetentionPolicy& policy, JobState state, Nanos now) noexcept;

/// Results of jobs that finished before it may go.
Nanos drop_results_before(const RetentionPolicy& policy, Nanos now) noexcept;

/// Whatever finished before it may go, in whatever state.
Nanos drop_before(const RetentionPolicy& policy, Nanos now) noexcept;

/// The last instant at which a job is kept; kNever if it is for ever, or unfinished.
Nanos keep_until(const RetentionPolicy& policy, JobState state, Nanos finished_at) noexcept;

}  // namespace aiserve::inline v0::decide
