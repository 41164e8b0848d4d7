/// MemoOptions: how a memoized operation keeps its results. Checked by Cache::memoize(), which
/// throws ConfigError and names the option.
///
///     auto classify = cache.memoize<Tensor>("classifier", loader,
///                                           {.version = "v3", .ttl = 10min, .soft_ttl = 8min});
#pragma once

#include <aiserve/core/deadline.hpp>
#include <aiserve/core/error.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

struct MemoOptions {
  /// Of the model, at most 128 bytes: results of other versions are not found. See
  /// Memo::set_version.
  std::string version{};
  /// Results expire after this, at least 1 ms. Default: the cache's.
  std::optional<Duration> ttl{};
  /// After this a result is served while one flight computes it anew (RFC 5861,
  /// stale-while-revalidate). At most ttl. Default: never.
  std::optional<Duration> soft_ttl{};
  /// How long after ttl a result stands in for an error of the kind that may pass: internal,
  /// unavailable, overloaded, deadline_exceeded (RFC 5861, stale-if-error). Default: not at all.
  Duration stale_if_error{};
  /// ttl and soft_ttl are shortened or lengthened by up to this share at random, so that what was
  /// computed together does not expire together. 0 to 0.5.
  double ttl_jitter = 0.05;

  /// How long errors of `negative_codes` are remembered. Default: they are not.
  Duration negative_ttl{};
  /// Of the errors that say something about the input, not about the moment.
  std::vector<Errc> negative_codes{Errc::not_found, Errc::invalid_argument, Errc::too_large,
                                   Errc::unimplemented};
  /// Bytes of remembered errors at any time, beyond which they are not remembered.
  std::size_t negative_capacity = std::size_t{1} << 20;

  /// Callers that may wait for one result, at least 1; more are refused as overloaded.
  std::size_t max_waiters = 65'536;
  /// Loads under way at once, at least 1; more are refused as overloaded. Those that go on after
  /// all their callers have left count.
  std::size_t max_loads = 65'536;
  /// The deadline of a refresh, which no caller waits for. Above 0.
  std::chrono::milliseconds refresh_timeout{30'000};
  /// After a refresh that failed, the next one waits this long.
  std::chrono::milliseconds refresh_pause{1'000};
};

}  // namespace aiserve::inline v0
