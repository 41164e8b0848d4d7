/// RateLimiter: so many requests per second and key, and a burst, exactly, on any number of
/// threads.
///
/// Each key has a bucket of `burst` tokens that fills at `per_second` (GCRA, ITU-T I.371). Memory
/// is bounded: beyond max_keys the key that owes least among a few is forgotten, which gives it its
/// burst back. *Thread safety:* any thread. *Errors:* ConfigError from the constructor.
///
///     RateLimiter limiter({.per_second = 100, .burst = 200});
///     server.before(http::limit(limiter)).after(http::rate_limit_fields(limiter));
#pragma once

#include <aiserve/core/deadline.hpp>
#include <aiserve/http/hooks.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace aiserve::inline v0 {

struct RateLimiterOptions {
  /// Of each key, in the long run: more than 0, at most 1,000,000.
  double per_second = 10;
  /// At once: 1 to 1,000,000.
  std::int64_t burst = 20;
  /// Keys that are remembered, about 150 bytes each: 64 to 100 million.
  std::size_t max_keys = 100'000;
  /// Names the limit in RateLimit fields.
  std::string name = "default";
};

class RateLimiter {
 public:
  /// What one key may. Out of the ranges of RateLimiterOptions: taken as the nearest that is in.
  struct Rate {
    double per_second = 0;
    std::int64_t burst = 0;
  };
  struct Verdict {
    bool allowed = false;
    /// Requests that would be allowed now.
    std::int64_t remaining = 0;
    /// Of a refused one: when it would be allowed.
    Duration retry_after{};
    /// Until the whole burst is there again.
    Duration full_after{};
  };

  explicit RateLimiter(RateLimiterOptions options);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  /// Takes one of `key`, if it is allowed.
  Verdict take(std::string_view key, TimePoint now) { return take(key, now, rate()); }
  /// The same for a key with a rate of its own.
  Verdict take(std::string_view key, TimePoint now, const Rate& rate);
  /// What stands, without taking.
  Verdict look(std::string_view key, TimePoint now) const { return look(key, now, rate()); }
  Verdict look(std::string_view key, TimePoint now, const Rate& rate) const;

  std::size_t keys() const;
  Rate rate() const noexcept { return {options_.per_second, options_.burst}; }
  const RateLimiterOptions& options() const noexcept { return options_; }

 private:
  struct Shard;
  struct Table;

  const RateLimiterOptions options_;
  std::unique_ptr<Table> table_;
};

namespace http {

/// Whose budget a request is on. Default: its tenant's, at the tenant's own rate and burst if it
/// has some (TenantLimits), or, if it is of no tenant, that of Request::client(), of IPv6
/// that of its /64.
using LimitKey = std::function<std::string(const Context&, const Request&)>;

/// A before hook: 429 with Retry-After beyond the limit. The limiter must outlive the server.
detail::BeforeHook limit(RateLimiter& limiter, LimitKey key = {});
/// An after hook: RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10).
detail::AfterHook rate_limit_fields(const RateLimiter& limiter, LimitKey key = {});

}  // namespace http
}  // namespace aiserve::inline v0
