#include "postgres/claim_cursors.hpp"

#include <algorithm>

namespace aiserve::inline v0::pg {
namespace {

// Of tenants that come and go: forgetting bounds is always right.
constexpr std::size_t kMostBounds = 10'000;

}  // namespace

std::int64_t ClaimCursors::bound(const TenantId& tenant, std::string_view kind, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  const auto found = bounds_.find({tenant, std::string(kind)});
  if (found == bounds_.end() || now >= found->second.trusted_until) return kNone;
  return found->second.rank;
}

std::int64_t ClaimCursors::begin(const TenantId& tenant, std::string_view kind, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  if (bounds_.size() >= kMostBounds) bounds_.clear();
  Bound& bound = bounds_[{tenant, std::string(kind)}];
  bound.lowest_since = std::numeric_limits<std::int64_t>::max();
  if (now < bound.trusted_until) return bound.rank;
  bound.rank = kNone;
  bound.trusted_until = now + kTrusted;
  return kNone;
}

void ClaimCursors::claimed_up_to(const TenantId& tenant, std::string_view kind, std::int64_t rank) {
  const std::scoped_lock lock(mutex_);
  const auto found = bounds_.find({tenant, std::string(kind)});
  if (found == bounds_.end()) return;
  found->second.rank = std::min(rank, found->second.lowest_since);
}

void ClaimCursors::made_ready(std::span<const ReadyJob> jobs) {
  const std::scoped_lock lock(mutex_);
  for (const ReadyJob& job : jobs) {
    const auto found = bounds_.find({job.tenant, job.kind});
    if (found == bounds_.end()) continue;
    found->second.rank = std::min(found->second.rank, job.rank);
    found->second.lowest_since = std::min(found->second.lowest_since, job.rank);
  }
}

void ClaimCursors::forget() {
  const std::scoped_lock lock(mutex_);
  bounds_.clear();
}

}  // namespace aiserve::inline v0::pg
