#include "cache/memo_flight.hpp"

#include "cache/cache_impl.hpp"

namespace aiserve::inline v0::detail {

MemoFlight::MemoFlight(MemoCore& memo, TenantId tenant, const MemoKey& key,
                       std::shared_ptr<MemoSource> source)
    : memo_(memo),
      tenant_(std::move(tenant)),
      digest_(key.digest),
      source_(std::move(source)),
      stamp_(memo.loading_.memory().stamp()),
      labels_(memo.namespaces_) {
  const MemoryTier& memory = memo.loading_.memory();
  labels_.push_back(key.version->label);
  labels_.push_back(memory.label(tenant_, kTenantLabel, {}));
  const std::vector<std::string> tags = source_->tags();
  // More than an entry may have don't fit; the result is then not stored, which is safe.
  for (const std::string& tag : tags) labels_.push_back(memory.label(tenant_, kTagLabel, tag));
}

bool MemoFlight::current() const noexcept {
  return memo_.loading_.memory().current(stamp_, labels_);
}

Async<Bytes> MemoFlight::run(const Context& ctx, const Flight& flight) {
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
