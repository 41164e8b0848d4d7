#include "decide/job_retention.hpp"

#include <algorithm>

namespace aiserve::inline v0::decide {
namespace {

Nanos kept(const RetentionPolicy& policy, JobState state) noexcept {
  switch (state) {
    case JobState::completed:
      return policy.completed;
    case JobState::cancelled:
      return policy.cancelled;
    case JobState::discarded:
      return policy.discarded;
    default:
      return kNever;
  }
}

Nanos cut_off(Nanos length, Nanos now) noexcept {
  return length == kNever ? INT64_MIN : saturating_add(now, -length);
}

}  // namespace

Nanos prune_before(const RetentionPolicy& policy, JobState state, Nanos now) noexcept {
  return cut_off(kept(policy, state), now);
}

Nanos drop_results_before(const RetentionPolicy& policy, Nanos now) noexcept {
  return cut_off(policy.result, now);
}

Nanos drop_before(const RetentionPolicy& policy, Nanos now) noexcept {
  return cut_off(std::max({policy.completed, policy.cancelled, policy.discarded}), now);
}

Nanos keep_until(const RetentionPolicy& policy, JobState state, Nanos finished_at) noexcept {
  return saturating_add(finished_at, kept(policy, state));
}

}  // namespace aiserve::inline v0::decide
