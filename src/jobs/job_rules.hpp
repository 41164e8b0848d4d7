// What every JobStore has to agree on, beside decide::step().
#pragma once

#include <cstdint>

#include "aiserve/jobs/job_store.hpp"
#include "decide/job_state.hpp"

namespace aiserve::inline v0::detail {

/// What a worker's word about its attempt is to the table of states.
decide::JobEventKind event_of(JobOutcomeKind outcome) noexcept;

/// The place in line of a job that waits since then: a step of priority is worth kAgeing.
/// Saturates.
std::int64_t rank_of(std::int64_t since, int priority) noexcept;

}  // namespace aiserve::inline v0::detail
