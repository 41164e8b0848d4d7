#include "tuner/load_result.hpp"

namespace tuner {

void TenantResult::count(Outcome outcome, std::int64_t took) {
  if (outcome == Outcome::ok) {
    ++ok;
    latency.record(took);
  } else if (outcome == Outcome::failed) {
    ++failed;
  } else {
    ++(outcome == Outcome::refused ? refused : expired);
    refusal.record(took);
  }
}

void TenantResult::merge(const TenantResult& other) {
  latency.merge(other.latency);
  refusal.merge(other.refusal);
  ok += other.ok;
  refused += other.refused;
  expired += other.expired;
  failed += other.failed;
}

TenantResult LoadResult::all() const {
  TenantResult sum;
  for (const TenantResult& tenant : tenants) sum.merge(tenant);
  return sum;
}

double LoadResult::per_second() const noexcept {
  std::uint64_t ok = 0;
  for (const TenantResult& tenant : tenants) ok += tenant.ok;
  return seconds > 0 ? static_cast<double>(ok) / seconds : 0;
}

double LoadResult::mean_batch() const noexcept {
  return batches == 0 ? 0 : static_cast<double>(batched_rows) / static_cast<double>(batches);
}

}  // namespace tuner
