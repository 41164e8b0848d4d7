#include "cache/check_memo_options.hpp"

#include "cache/memo_core.hpp"

namespace aiserve::inline v0::detail {

void check_memo_options(const std::string& name, const CacheOptions& cache,
                        const MemoOptions& options) {
  const auto need = [&](bool fine, const char* what) {
    if (!fine) throw ConfigError("memoize " + name + ": " + what);
  };
  using std::chrono::milliseconds;
  const Duration ttl = options.ttl.value_or(cache.ttl);
  need(!name.empty() && name.size() <= MemoryKey::kMostName, "name must be 1 to 128 bytes long");
  need(options.version.size() <= kMostVersion, "version must be at most 128 bytes long");
  need(ttl >= milliseconds(1), "ttl must be at least 1 ms");
  need(!options.soft_ttl || (*options.soft_ttl > Duration::zero() && *options.soft_ttl <= ttl),
       "soft_ttl must be above 0, and at most ttl");
  need(options.stale_if_error >= Duration::zero(), "stale_if_error must not be negative");
  need(options.ttl_jitter >= 0 && options.ttl_jitter <= 0.5, "ttl_jitter must be 0 to 0.5");
  need(options.negative_ttl >= Duration::zero(), "negative_ttl must not be negative");
  need(options.max_waiters >= 1, "max_waiters must be at least 1");
  need(options.max_loads >= 1, "max_loads must be at least 1");
  need(options.refresh_timeout > milliseconds::zero(), "refresh_timeout must be above 0");
  need(options.refresh_pause >= milliseconds::zero(), "refresh_pause must not be negative");
}

}  // namespace aiserve::inline v0::detail
