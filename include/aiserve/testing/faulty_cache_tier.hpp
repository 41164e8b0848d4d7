/// FaultyCacheTier: passes calls on to another tier, or breaks them as a test asks for: to see what
/// is above a disk or a server that fails.
/// *Thread safety:* any thread.
///
///     MemoryCacheTier memory(1_MiB);
///     testing::FaultyCacheTier tier(memory);
///     tier.set(testing::TierFault::hang);
#pragma once

#include <aiserve/cache/cache_tier.hpp>

#include <atomic>
#include <cstdint>

namespace aiserve::inline v0::testing {

enum class TierFault : std::uint8_t {
  none,
  fail,     ///< unavailable, and nothing is done
  raise,    ///< throws
  hang,     ///< never returns, whatever the Context says; until the Runtime ends
  garble,   ///< get: every value with a flipped bit, or cut
  swap,     ///< get: every value under the next key
  shorten,  ///< get: one value too few
};

class FaultyCacheTier final : public CacheTier {
 public:
  /// `inner` outlives it.
  explicit FaultyCacheTier(CacheTier& inner) noexcept : inner_(inner) {}

  void set(TierFault fault) noexcept { fault_.store(fault); }
  std::uint64_t gets() const noexcept { return gets_.load(); }       ///< calls
  std::uint64_t keys_read() const noexcept { return keys_.load(); }  ///< of all gets
  std::uint64_t writes() const noexcept { return writes_.load(); }   ///< calls of put and erase

  std::string_view name() const noexcept override { return "faulty"; }
  Async<TierValues> get(const Context& ctx, std::span<const TierKey> keys) override;
  Async<void> put(const Context& ctx, std::span<const TierEntry> entries) override;
  Async<void> erase(const Context& ctx, std::span<const TierKey> keys) override;
  Async<void> erase_tenant(const Context& ctx, const TenantId& tenant) override;

 private:
  Async<void> misbehave(TierFault fault);

  CacheTier& inner_;
  std::atomic<TierFault> fault_{TierFault::none};
  std::atomic<std::uint64_t> gets_{0};
  std::atomic<std::uint64_t> keys_{0};
  std::atomic<std::uint64_t> writes_{0};
};

}  // namespace aiserve::inline v0::testing
