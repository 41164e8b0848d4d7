// AttemptLimits: how long one attempt at a job may run, and what happens when it runs longer. Pure.
//
//   started ------------ soft ------------ hard ------->
//   |     on time        |     asked to stop    |  taken away: the job goes on elsewhere
//
// run_until() is written with the claim: whoever looks after the store takes the attempt away then,
// however alive its worker is (JobEventKind::lease_lost). Whoever still runs it is stuck: it holds
// a slot and is named in the log, but what it says is stale.
#pragma once

#include <algorithm>
#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

/// Durations since the attempt was claimed; kNever: no limit.
struct AttemptLimits {
  Nanos soft = kNever;            ///< > 0; one beyond `hard` is `hard`
  Nanos hard = 3600'000'000'000;  ///< > 0
};

enum class AttemptStage : std::uint8_t { on_time, asked_to_stop, stuck };

inline Nanos stop_at(const AttemptLimits& limits, Nanos claimed_at) noexcept {
  return saturating_add(claimed_at, std::min(limits.soft, limits.hard));
}

inline Nanos run_until(const AttemptLimits& limits, Nanos claimed_at) noexcept {
  return saturating_add(claimed_at, limits.hard);
}

inline AttemptStage attempt_stage(const AttemptLimits& limits, Nanos claimed_at,
                                  Nanos now) noexcept {
  if (now < stop_at(limits, claimed_at)) return AttemptStage::on_time;
  return now < run_until(limits, claimed_at) ? AttemptStage::asked_to_stop : AttemptStage::stuck;
}

}  // namespace aiserve::inline v0::decide
