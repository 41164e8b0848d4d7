#include "aiserve/http/rate_limiter.hpp"

#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "aiserve/core/context.hpp"
#include "decide/gcra.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr std::size_t kShards = 16;
constexpr int kLookedAt = 8;  // for one to forget

using decide::Nanos;

RateLimiterOptions checked(RateLimiterOptions options) {
  const auto refuse = [](const std::string& what) { throw ConfigError("rate limiter: " + what); };
  const bool rate_ok = options.per_second > 0 && options.per_second <= 1e6;
  if (!rate_ok) refuse("per_second must be more than 0 and at most 1000000");
  if (options.burst < 1 || options.burst > 1'000'000) refuse("burst must be 1 to 1000000");
  // Its window in nanoseconds has to fit 63 bits by far.
  const bool window_ok = static_cast<double>(options.burst) / options.per_second <= 1e8;
  if (!window_ok) refuse("burst / per_second must be at most 100000000 seconds");
  if (options.max_keys < 64 || options.max_keys > 100'000'000) {
    refuse("max_keys must be 64 to 100000000");
  }
  if (options.name.empty() || options.name.find_first_of("\"\\\r\n") != std::string::npos) {
    refuse("name must not be empty nor hold quotes");
  }
  return options;
}

decide::GcraLimit limit_of(const RateLimiterOptions& options) noexcept {
  return {static_cast<Nanos>(std::ceil(1e9 / options.per_second)), options.burst};
}

RateLimiter::Verdict public_verdict(const decide::GcraVerdict& verdict) noexcept {
  return {verdict.allowed, verdict.remaining, Duration(verdict.retry_after),
          Duration(verdict.full_after)};
}

Nanos nanos(TimePoint now) noexcept { return now.time_since_epoch().count(); }

}  // namespace

// Ordered, so that no choice of keys makes it slow.
struct RateLimiter::Shard {
  using Arrivals = std::map<std::string, Nanos, std::less<>>;

  // Of the few that are next in turn the one that owes least: who floods with new keys loses those.
  void forget_one() {
    if (hand == arrivals.end()) hand = arrivals.begin();
    auto least = hand;
    for (int i = 0; i < kLookedAt && hand != arrivals.end(); ++i, ++hand) {
      if (hand->second < least->second) least = hand;
    }
    if (least == hand) ++hand;
    arrivals.erase(least);
  }

  std::mutex mutex;
  Arrivals arrivals;
  Arrivals::iterator hand = arrivals.end();
};

RateLimiter::RateLimiter(RateLimiterOptions options)
    : options_(checked(std::move(options))), shards_(new Shard[kShards]) {}

RateLimiter::~RateLimiter() = default;

RateLimiter::Verdict RateLimiter::take(std::string_view key, TimePoint now) {
  Shard& shard = shards_[std::hash<std::string_view>()(key) % kShards];
  const std::lock_guard lock(shard.mutex);
  auto at = shard.arrivals.find(key);
  if (at == shard.arrivals.end()) {
    if (shard.arrivals.size() >= options_.max_keys / kShards) shard.forget_one();
    at = shard.arrivals.emplace(key, nanos(now)).first;
  }
  return public_verdict(decide::gcra_take(at->second, limit_of(options_), nanos(now)));
}

RateLimiter::Verdict RateLimiter::look(std::string_view key, TimePoint now) const {
  Shard& shard = shards_[std::hash<std::string_view>()(key) % kShards];
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.arrivals.find(key);
  const Nanos arrival = at == shard.arrivals.end() ? nanos(now) : at->second;
  return public_verdict(decide::gcra_look(arrival, limit_of(options_), nanos(now)));
}

std::size_t RateLimiter::keys() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    count += shards_[i].arrivals.size();
  }
  return count;
}

namespace http {
namespace {

LimitKey or_default(LimitKey key) {
  if (key) return key;
  return [](const Context& ctx, const Request& request) -> std::string {
    const Tenant& tenant = ctx.tenant();
    if (!tenant.is_anonymous()) return "t:" + std::string(tenant.id().value());
    return "c:" + std::string(request.client());
  };
}

std::string seconds(Duration time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count());
}

}  // namespace

detail::BeforeHook limit(RateLimiter& limiter, Runtime& runtime, LimitKey key) {
  return detail::make_before([&limiter, &runtime, key = or_default(std::move(key))](
                                 Context& ctx, const Request& request) -> Result<void> {
    const auto verdict = limiter.take(key(ctx, request), runtime.clock().now());
    if (verdict.allowed) return success();
    return Error(Errc::rate_limited, "too many requests")
        .retry_after(std::chrono::ceil<std::chrono::milliseconds>(verdict.retry_after));
  });
}

detail::AfterHook rate_limit_fields(const RateLimiter& limiter, Runtime& runtime, LimitKey key) {
  const RateLimiterOptions& options = limiter.options();
  const Duration window(limit_of(options).interval * options.burst);
  const std::string name = '"' + options.name + '"';
  std::string policy = name + ";q=" + std::to_string(options.burst) + ";w=" + seconds(window);
  return [&limiter, &runtime, key = or_default(std::move(key)), name, policy = std::move(policy)](
             const Context& ctx, const Request& request, Response& response) {
    const auto verdict = limiter.look(key(ctx, request), runtime.clock().now());
    response.header("RateLimit-Policy", policy);
    response.header("RateLimit", name + ";r=" + std::to_string(verdict.remaining) +
                                     ";t=" + seconds(verdict.full_after));
  };
}

}  // namespace http
}  // namespace aiserve::inline v0
