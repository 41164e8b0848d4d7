// What the stores over a SqliteDatabase share.
#pragma once

#include "aiserve/sqlite/sqlite_stores.hpp"
#include "sqlite/sqlite_core.hpp"

namespace aiserve::inline v0::detail {

constexpr std::size_t kLargestValue = 1'000'000'000;  // SQLITE_MAX_LENGTH

inline const SqliteStoreOptions& checked(const SqliteStoreOptions& options, const char* store) {
  if (options.max_value >= 1 && options.max_value <= kLargestValue) return options;
  throw ConfigError("sqlite " + std::string(store) + " store: max_value must be 1 to 1000000000");
}

/// Milliseconds, saturating.
inline std::int64_t later(std::int64_t now, std::chrono::milliseconds delay) noexcept {
  constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();
  return delay.count() > kLatest - now ? kLatest : now + delay.count();
}

inline WallTime wall_time(std::int64_t ms) noexcept {
  return WallTime(std::chrono::milliseconds(ms));
}

}  // namespace aiserve::inline v0::detail
