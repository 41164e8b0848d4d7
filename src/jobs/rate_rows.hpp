// RateRows: rates that all processes share: a row per rate, that holds until when it is spent
// (decide/start_rate.hpp), in wall time, and is changed by compare-and-set.
//
// A row lives as long as it says something, and a minute more: a clock that was set back stops
// nobody for longer.
#pragma once

#include <optional>

#include "aiserve/core/clock.hpp"
#include "aiserve/jobs/job_queue_options.hpp"
#include "aiserve/storage/key_value_store.hpp"
#include "decide/start_rate.hpp"

namespace aiserve::inline v0::detail {

/// A row as it was seen last; it may have been changed since.
struct RateView {
  decide::Nanos spent_until = 0;
  std::int64_t version = PutOptions::kAbsent;
};

class RateRows {
 public:
  RateRows(const JobRates& options, const Clock& clock) noexcept
      : options_(options), clock_(clock) {}

  bool empty() const noexcept { return options_.store == nullptr; }
  /// `order_key` is empty for the rate of the tenant.
  StoreKey key(const TenantId& tenant, std::string_view kind, std::string_view order_key) const;

  /// How many may start now, by what was seen; all of a burst when nothing was.
  std::size_t may_start(const decide::StartRate& limit, const std::optional<RateView>& seen) const;
  /// From now until the next may.
  Duration until_next(const decide::StartRate& limit, const std::optional<RateView>& seen) const;

  /// Up to `wanted` starts of now. Errors: those of the store; conflict: too many at once.
  Async<std::size_t> take(const Context& ctx, const StoreKey& key, const decide::StartRate& limit,
                          std::size_t wanted, std::optional<RateView>& seen) const;
  Async<void> give_back(const Context& ctx, const StoreKey& key, const decide::StartRate& limit,
                        std::size_t count, std::optional<RateView>& seen) const;

 private:
  decide::Nanos now() const { return clock_.wall_now().time_since_epoch().count(); }
  decide::Nanos spent(const decide::StartRate& limit, const std::optional<RateView>& seen) const;
  Async<void> read(const Context& ctx, const StoreKey& key, std::optional<RateView>& seen) const;
  Async<void> write(const Context& ctx, const StoreKey& key, decide::Nanos spent_until,
                    std::optional<RateView>& seen) const;

  const JobRates& options_;
  const Clock& clock_;
};

}  // namespace aiserve::inline v0::detail
