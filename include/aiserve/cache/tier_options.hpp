/// TierOptions: how a Cache uses a tier below its memory. Checked by Cache::add_tier(), which
/// throws ConfigError and names the option.
///
///     cache.add_tier(disk, {.read_timeout = 20ms});
///     cache.add_tier(remote, {.read_timeout = 5ms, .max_batch = 32});
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace aiserve::inline v0 {

struct TierOptions {
  /// A miss waits this long for the tier, then goes on without it. Above 0. Well below what the
  /// loader takes; else the tier does not pay.
  std::chrono::milliseconds read_timeout{50};
  /// A write that takes longer has failed. Above 0.
  std::chrono::milliseconds write_timeout{5'000};
  /// Keys per call, 1 to 4,096: what misses while calls are under way shares the next one.
  std::size_t max_batch = 64;
  /// Calls of get() under way, 1 to 64.
  std::size_t max_reads = 4;
  /// Keys that wait for a call, at least 1; more don't ask the tier.
  std::size_t max_waiting = 4'096;
  /// Bytes of results that wait to be written, beyond which the oldest are dropped.
  std::size_t write_queue = std::size_t{32} << 20;

  /// The tier is left alone when `failures` of the last `window` calls failed. 1 to 64; failures at
  /// most window.
  std::uint32_t window = 16;
  std::uint32_t failures = 8;
  /// For so long, and twice as long with each attempt that fails again. Above 0.
  std::chrono::milliseconds first_pause{500};
  std::chrono::milliseconds longest_pause{30'000};
};

}  // namespace aiserve::inline v0
