#include "aiserve/testing/faulty_cache_tier.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace aiserve::inline v0::testing {
namespace {

Bytes garbled(const Bytes& value, std::size_t index) {
  if (value.empty()) return Bytes::literal("x");
  if (index % 2 == 1) return value.slice(0, value.size() - 1);
  MutableBytes copy(value.size());
  std::memcpy(copy.data(), value.data(), value.size());
  copy.data()[value.size() / 2] ^= std::byte{1};
  return std::move(copy).freeze();
}

}  // namespace

Async<void> FaultyCacheTier::misbehave(TierFault fault) {
  if (fault == TierFault::fail) co_return Error(Errc::unavailable, "broken on purpose");
  if (fault == TierFault::raise) throw std::runtime_error("thrown on purpose");
  if (fault == TierFault::hang) co_return co_await sleep(Context::background(), Duration::max());
  co_return success();
}

Async<TierValues> FaultyCacheTier::get(const Context& ctx, std::span<const TierKey> keys) {
  gets_.fetch_add(1);
  keys_.fetch_add(keys.size());
  const TierFault fault = fault_.load();
  if (const Result<void> sound = co_await misbehave(fault); !sound) co_return sound.error();
  Result<TierValues> values = co_await inner_.get(ctx, keys);
  if (!values || values->empty()) co_return values;
  if (fault == TierFault::swap) std::rotate(values->begin(), values->begin() + 1, values->end());
  if (fault == TierFault::shorten) values->pop_back();
  if (fault != TierFault::garble) co_return values;
  for (std::size_t i = 0; i < values->size(); ++i) {
    if ((*values)[i]) (*values)[i] = garbled(*(*values)[i], i + gets_.load());
  }
  co_return values;
}

Async<void> FaultyCacheTier::put(const Context& ctx, std::span<const TierEntry> entries) {
  writes_.fetch_add(1);
  if (const Result<void> sound = co_await misbehave(fault_.load()); !sound) co_return sound;
  co_return co_await inner_.put(ctx, entries);
}

Async<void> FaultyCacheTier::erase(const Context& ctx, std::span<const TierKey> keys) {
  writes_.fetch_add(1);
  if (const Result<void> sound = co_await misbehave(fault_.load()); !sound) co_return sound;
  co_return co_await inner_.erase(ctx, keys);
}

Async<void> FaultyCacheTier::erase_tenant(const Context& ctx, const TenantId& tenant) {
  writes_.fetch_add(1);
  if (const Result<void> sound = co_await misbehave(fault_.load()); !sound) co_return sound;
  co_return co_await inner_.erase_tenant(ctx, tenant);
}

}  // namespace aiserve::inline v0::testing
