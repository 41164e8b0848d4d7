// TierLink: one tier as the Cache calls it: through a circuit breaker, each call bounded in time
// however the tier behaves. A call that does not return is left behind with all that it refers to.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "aiserve/cache/cache_tier.hpp"
#include "aiserve/cache/tier_options.hpp"
#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "core/intrusive_ptr.hpp"
#include "decide/circuit_breaker.hpp"

namespace aiserve::inline v0::detail {

class TierLink {
 public:
  /// Throws ConfigError.
  TierLink(Runtime& runtime, const std::string& cache, CacheTier& tier, TierOptions options);

  /// Errors: unavailable when the breaker is open, or too many calls have not returned.
  Async<TierValues> get(std::vector<TierKey> keys);
  Async<void> put(std::vector<TierEntry> entries);
  Async<void> erase(std::vector<TierKey> keys);
  Async<void> erase_tenant(TenantId tenant);

  bool open() const;
  /// A call now would be refused.
  bool resting() const;
  Runtime& runtime() const noexcept { return runtime_; }
  const TierOptions& options() const noexcept { return options_; }

  struct Counters {
    Counter& hits;
    Counter& misses;
    Counter& failed_reads;
    Counter& garbled;
    Counter& written;
    Counter& failed_writes;
    Counter& dropped;
  };
  const Counters& counters() const noexcept { return counters_; }

 private:
  template <class T>
  struct Call;
  template <class T>
  static Task perform(IntrusivePtr<Call<T>> call);
  template <class T>
  Async<T> bounded(std::chrono::milliseconds timeout,
                   std::function<Async<T>(const Context&)> operation);
  bool allow();
  void report(const Result<void>& outcome);

  Runtime& runtime_;
  CacheTier& tier_;
  const TierOptions options_;
  const std::string name_;
  const Counters counters_;
  mutable std::mutex mutex_;
  decide::CircuitBreaker breaker_;
  const std::shared_ptr<std::atomic<int>> under_way_ = std::make_shared<std::atomic<int>>(0);
  CallbackGauge open_gauge_;
};

}  // namespace aiserve::inline v0::detail
