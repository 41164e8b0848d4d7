#include "aiserve/http/rate_limiter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "aiserve/core/clock.hpp"
#include "aiserve/core/context.hpp"
#include "core/keyed_hash.hpp"
#include "decide/gcra.hpp"
#include "http/client_network.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr std::size_t kShards = 16;
constexpr int kLookedAt = 8;  // for one to forget
constexpr double kMostPerSecond = 1e6;
constexpr std::int64_t kMostBurst = 1'000'000;
constexpr double kLongestWindow = 1e8;  // in seconds: nanoseconds have to fit 63 bits by far

using decide::Nanos;

RateLimiterOptions checked(RateLimiterOptions options) {
  const auto refuse = [](const std::string& what) { throw ConfigError("rate limiter: " + what); };
  const bool rate_ok = options.per_second > 0 && options.per_second <= kMostPerSecond;
  if (!rate_ok) refuse("per_second must be more than 0 and at most 1000000");
  if (options.burst < 1 || options.burst > kMostBurst) refuse("burst must be 1 to 1000000");
  const bool window_ok = static_cast<double>(options.burst) / options.per_second <= kLongestWindow;
  if (!window_ok) refuse("burst / per_second must be at most 100000000 seconds");
  if (options.max_keys < 64 || options.max_keys > 100'000'000) {
    refuse("max_keys must be 64 to 100000000");
  }
  if (options.name.empty() || options.name.find_first_of("\"\\\r\n") != std::string::npos) {
    refuse("name must not be empty nor hold quotes");
  }
  return options;
}

decide::GcraLimit limit_of(const RateLimiter::Rate& rate) noexcept {
  const std::int64_t burst = std::clamp<std::int64_t>(rate.burst, 1, kMostBurst);
  const double slowest = static_cast<double>(burst) / kLongestWindow;
  const double per_second = std::clamp(rate.per_second, slowest, kMostPerSecond);
  return {static_cast<Nanos>(std::ceil(1e9 / per_second)), burst};
}

RateLimiter::Verdict public_verdict(const decide::GcraVerdict& verdict) noexcept {
  return {verdict.allowed, verdict.remaining, Duration(verdict.retry_after),
          Duration(verdict.full_after)};
}

Nanos nanos(TimePoint now) noexcept { return now.time_since_epoch().count(); }

}  // namespace

struct RateLimiter::Shard {
  // The table hashes each key once, for the shard as well.
  struct Key {
    std::string_view text;
    std::uint64_t hash;
  };
  struct Stored {
    std::string text;
    std::uint64_t hash;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Key& key) const noexcept { return key.hash; }
    std::size_t operator()(const Stored& key) const noexcept { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return a.hash == b.hash && a.text == b.text;
    }
  };
  using Arrivals = std::unordered_map<Stored, Nanos, Hash, Equal>;

  // Of the few that are next in turn the one that owes least: who floods with new keys loses those.
  void forget_one() {
    auto least = arrivals.end();
    for (int seen = 0; seen < kLookedAt;) {
      hand = (hand + 1) % arrivals.bucket_count();
      for (auto at = arrivals.begin(hand); at != arrivals.end(hand); ++at, ++seen) {
        if (least == arrivals.end() || at->second < least->second) least = arrivals.find(at->first);
      }
    }
    arrivals.erase(least);
  }
  Nanos& arrival(const Key& key, Nanos now, std::size_t at_most) {
    const auto at = arrivals.find(key);
    if (at != arrivals.end()) return at->second;
    if (arrivals.size() >= at_most) forget_one();
    return arrivals.emplace(Stored{std::string(key.text), key.hash}, now).first->second;
  }

  std::mutex mutex;
  Arrivals arrivals;
  std::size_t hand = 0;  // a bucket
};

struct RateLimiter::Table {
  Shard::Key key(std::string_view text) const noexcept { return {text, hash(text)}; }
  // By bits that the shards' own tables look at last.
  Shard& shard(const Shard::Key& key) noexcept { return shards[key.hash >> 60]; }

  const detail::KeyedHash hash;
  std::array<Shard, kShards> shards;
};

RateLimiter::RateLimiter(RateLimiterOptions options)
    : options_(checked(std::move(options))), table_(std::make_unique<Table>()) {}

RateLimiter::~RateLimiter() = default;

RateLimiter::Verdict RateLimiter::take(std::string_view key, TimePoint now, const Rate& rate) {
  const decide::GcraLimit limit = limit_of(rate);
  const Shard::Key hashed = table_->key(key);
  Shard& shard = table_->shard(hashed);
  const std::scoped_lock lock(shard.mutex);
  Nanos& arrival = shard.arrival(hashed, nanos(now), options_.max_keys / kShards);
  return public_verdict(decide::gcra_take(arrival, limit, nanos(now)));
}

RateLimiter::Verdict RateLimiter::look(std::string_view key, TimePoint now,
                                       const Rate& rate) const {
  const Shard::Key hashed = table_->key(key);
  Shard& shard = table_->shard(hashed);
  const std::scoped_lock lock(shard.mutex);
  const auto at = shard.arrivals.find(hashed);
  const Nanos arrival = at == shard.arrivals.end() ? nanos(now) : at->second;
  return public_verdict(decide::gcra_look(arrival, limit_of(rate), nanos(now)));
}

std::size_t RateLimiter::keys() const {
  std::size_t count = 0;
  for (Shard& shard : table_->shards) {
    const std::scoped_lock lock(shard.mutex);
    count += shard.arrivals.size();
  }
  return count;
}

namespace http {
namespace {

struct Budget {
  std::string key;
  RateLimiter::Rate rate;
};

Budget budget(const RateLimiter& limiter, const LimitKey& key, const Context& ctx,
              const Request& request) {
  if (key) return {key(ctx, request), limiter.rate()};
  const Tenant& tenant = ctx.tenant();
  if (tenant.is_anonymous())
    return {"c:" + detail::client_network(request.client()), limiter.rate()};
  RateLimiter::Rate rate = limiter.rate();
  const TenantLimits& own = tenant.limits();
  if (own.requests_per_second) rate.per_second = *own.requests_per_second;
  if (own.burst) {
    rate.burst = static_cast<std::int64_t>(std::min(*own.burst, double{kMostBurst}));
  }
  return {"t:" + tenant.id().value(), rate};
}

std::string seconds(Duration time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count());
}

}  // namespace

detail::BeforeHook limit(RateLimiter& limiter, LimitKey key) {
  return [&limiter, key = std::move(key)](Context& ctx,
                                          const Request& request) -> std::optional<Response> {
    const Budget on = budget(limiter, key, ctx, request);
    const auto verdict = limiter.take(on.key, request.clock().now(), on.rate);
    if (verdict.allowed) return std::nullopt;
    return problem(
        ctx, Error(Errc::rate_limited, "too many requests")
                 .retry_after(std::chrono::ceil<std::chrono::milliseconds>(verdict.retry_after)));
  };
}

detail::AfterHook rate_limit_fields(const RateLimiter& limiter, LimitKey key) {
  const std::string name = '"' + limiter.options().name + '"';
  return [&limiter, key = std::move(key), name](const Context& ctx, const Request& request,
                                                Response& response) {
    const Budget on = budget(limiter, key, ctx, request);
    const auto verdict = limiter.look(on.key, request.clock().now(), on.rate);
    const decide::GcraLimit limit = limit_of(on.rate);
    response.add_header("RateLimit-Policy", name + ";q=" + std::to_string(limit.burst) + ";w=" +
                                                seconds(Duration(limit.interval * limit.burst)));
    response.add_header("RateLimit", name + ";r=" + std::to_string(verdict.remaining) +
                                         ";t=" + seconds(verdict.full_after));
  };
}

}  // namespace http
}  // namespace aiserve::inline v0
