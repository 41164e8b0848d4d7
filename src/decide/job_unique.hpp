// JobUnique: which earlier job stands in the way of a new one with the same unique key. Pure.
//
// The key of a store's index is (tenant, kind, key, window); a job holds its place in it while its
// state is in scope. What is unfinished always is: a key that is taken twice would run twice.
#pragma once

#include <cstdint>

#include "decide/job_state.hpp"
#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

struct UniqueScope {
  /// 0: without end. Else time is cut into windows of this length since 1970, and a key is free
  /// again in each of them.
  Nanos period = 0;
  bool completed = true;  ///< a completed job still holds its key: the new one gets its result
  bool cancelled = false;
  bool discarded = false;
};

/// The window that a job enqueued at `now` belongs to.
inline std::int64_t unique_window(const UniqueScope& scope, Nanos now) noexcept {
  if (scope.period <= 0) return 0;
  return now / scope.period - (now % scope.period < 0 ? 1 : 0);
}

/// A job in this state holds its key.
inline bool holds_key(const UniqueScope& scope, JobState state) noexcept {
  if (state == JobState::completed) return scope.completed;
  if (state == JobState::cancelled) return scope.cancelled;
  return state != JobState::discarded || scope.discarded;
}

}  // namespace aiserve::inline v0::decide
