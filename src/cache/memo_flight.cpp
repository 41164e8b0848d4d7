#include "cache/memo_flight.hpp"

namespace aiserve::inline v0::detail {

MemoFlight::MemoFlight(MemoCore& memo, TenantId tenant, const MemoKey& key,
                       std::shared_ptr<MemoSource> source)
    : memo_(memo),
      tenant_(std::move(tenant)),
      digest_(key.digest),
      source_(std::move(source)),
      stamp_(memo.loading_.memory().stamp()),
      born_(memo.loading_.tiers().birth()),
      labels_(key.version->labels) {
  memo_.loading_.add(labels_, kTenantLabel, tenant_, {});
  // More than an entry may have don't fit; the result is then not stored, which is safe.
  for (const std::string& tag : source_->tags()) {
    memo_.loading_.add(labels_, kTagLabel, tenant_, tag);
  }
}

bool MemoFlight::current() const noexcept {
  return memo_.loading_.memory().current(stamp_, labels_.memory);
}

Async<Bytes> MemoFlight::run(const Context& ctx, const Flight& flight) {
  TierStack& tiers = memo_.loading_.tiers();
  if (!tiers.empty() && !flight.key().anew) {
    const TierKey key = memo_.tier_key(tenant_, digest_);
    const Result<std::optional<TierRecord>> found = co_await tiers.read(ctx, key);
    if (!found) co_return found.error();
    if (*found) {
      if (!flight.storing_forbidden()) memo_.keep(*this, **found);
      co_return (*found)->value;
    }
  }
  co_return co_await compute(ctx, flight);
}

Async<Bytes> MemoFlight::compute(const Context& ctx, const Flight& flight) {
  const TimePoint began = memo_.now();
  Result<Bytes> made;
  try {
    made = co_await source_->load(ctx);
  } catch (...) {
    made = error_from_current_exception();
  }
  const Duration cost = memo_.now() - began;
  memo_.load_seconds_.observe(std::chrono::duration<double>(cost).count());
  (made ? memo_.loads_ok_ : memo_.loads_failed_).inc();
  const bool storing = flight.wanted_in_cache() && !flight.storing_forbidden();
  if (made && storing) memo_.store(*this, *made, cost);
  if (!made && storing) memo_.remember(*this, made.error());
  if (!made && flight.pinned()) memo_.refresh_failed(*this, made.error());
  co_return made;
}

}  // namespace aiserve::inline v0::detail
