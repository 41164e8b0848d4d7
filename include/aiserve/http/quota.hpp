/// Quota: so many requests per day and month of the calendar (UTC), counted in a KeyValueStore, so
/// that they outlive the process and hold for all hosts that share the store.
///
/// Exact: a count is added to in one step of the store, up to its limit, so that nobody has to try
/// again however many come at once. That is one operation of the store per window that has a limit,
/// and one more for a request that its month refuses and its day did not; in front of it belongs a
/// RateLimiter, which costs nothing. What is over the quota is not counted.
/// *Thread safety:* take(): I/O threads of the Runtime. The store outlives this, this the server.
/// *Errors:* ConfigError from the constructor; those of the store, after which a request may have
/// been counted.
///
///     Quota quota(store, {.limits = {.per_day = 1000, .per_month = 20'000}});
///     server.around(http::quota(quota));  // or, with streams: before(http::within_quota(quota))
#pragma once

#include <aiserve/core/tenant.hpp>
#include <aiserve/http/hooks.hpp>
#include <aiserve/http/rate_limiter.hpp>
#include <aiserve/storage/key_value_store.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace aiserve::inline v0 {

/// Absent: no such quota. Each at least 0.
struct QuotaLimits {
  std::optional<std::int64_t> per_day{};
  std::optional<std::int64_t> per_month{};
};

struct QuotaOptions {
  QuotaLimits limits{};
  /// Those of a tenant, by its plan, say. Default: `limits` for all.
  std::function<QuotaLimits(const Tenant&)> limits_of{};
  /// Names the counts in the store and the quota in RateLimit fields: 1 to 64 letters, digits,
  /// '-', '_'.
  std::string name = "quota";
};

class Quota {
 public:
  struct Standing {
    std::int64_t limit = 0;
    std::int64_t remaining = 0;
    /// Until the day or month ends.
    Duration reset_after{};
    /// Length of this day or month.
    Duration window{};
  };
  struct Verdict {
    bool allowed = false;
    /// Absent where there is no such quota.
    std::optional<Standing> day{};
    std::optional<Standing> month{};
    /// Of a refused one: when it would be allowed.
    Duration retry_after{};
  };

  Quota(KeyValueStore& store, QuotaOptions options);

  /// Takes `amount`, at least 1, from what `key` has of the tenant's quota (that of the Context),
  /// if there is enough. `key` has at most 512 bytes.
  Async<Verdict> take(const Context& ctx, const std::string& key, std::int64_t amount,
                      WallTime now);

  const QuotaOptions& options() const noexcept { return options_; }

 private:
  struct Count;
  Async<void> add(const Context& ctx, Count& count, std::int64_t amount);

  KeyValueStore& store_;
  const QuotaOptions options_;
};

namespace http {

/// An around hook: 429 with Retry-After beyond the quota; RateLimit-Policy and RateLimit on every
/// answer but a 500. `key`: default one count for each tenant, and for each Request::client() of
/// none, of IPv6 for each /64.
detail::AroundHook quota(Quota& quota, LimitKey key = {});

/// A before hook that waits: the same without the RateLimit fields, and for streams, event streams
/// and WebSockets as well, which around hooks pass by. Give a server one of the two.
detail::BeforeHook within_quota(Quota& quota, LimitKey key = {});

}  // namespace http
}  // namespace aiserve::inline v0
