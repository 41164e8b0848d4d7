// MemoFlight: what the flight of a memoized operation does.
#pragma once

#include "cache/memo_core.hpp"

namespace aiserve::inline v0::detail {

class MemoFlight final : public FlightWork {
 public:
  MemoFlight(MemoCore& memo, TenantId tenant, const MemoKey& key,
             std::shared_ptr<MemoSource> source);

  Async<Bytes> run(const Context& ctx, const Flight& flight) override;
  bool current() const noexcept override;

  const TenantId& tenant() const noexcept { return tenant_; }
  const Digest& digest() const noexcept { return digest_; }
  /// Of the memory tier, from before the computation began.
  std::uint32_t stamp() const noexcept { return stamp_; }
  /// The same for the tiers below.
  TierStamp born() const noexcept { return born_; }
  const EntryLabels& labels() const noexcept { return labels_; }

 private:
  Async<Bytes> compute(const Context& ctx, const Flight& flight);

  MemoCore& memo_;
  const TenantId tenant_;
  const Digest digest_;
  const std::shared_ptr<MemoSource> source_;
  const std::uint32_t stamp_;
  const TierStamp born_;
  EntryLabels labels_;
};

}  // namespace aiserve::inline v0::detail
