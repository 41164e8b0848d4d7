// What the stores over a PostgresDatabase share.
#pragma once

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <limits>

#include "core/checksum.hpp"
#include "postgres/postgres_core.hpp"
#include "storage/checks.hpp"

namespace aiserve::inline v0::pg {

// A field of PostgreSQL holds 1 GB, and an answer is held twice while it is read.
constexpr std::size_t kLargestValue = 500'000'000;

inline std::size_t checked_size(std::size_t size, const char* what) {
  if (size >= 1 && size <= kLargestValue) return size;
  throw ConfigError("postgres " + std::string(what) + " must be 1 to 500000000");
}

/// Nanoseconds, saturating.
inline std::int64_t later(std::int64_t now, std::chrono::milliseconds delay) noexcept {
  std::int64_t ns = 0;
  std::int64_t sum = 0;
  const bool overflows = __builtin_mul_overflow(delay.count(), std::int64_t{1'000'000}, &ns) ||
                         __builtin_add_overflow(now, ns, &sum);
  return overflows ? std::numeric_limits<std::int64_t>::max() : sum;
}

/// Of the tables that finished jobs lie in: a day, or so many that some twenty tables do.
inline std::int64_t days_per_table(std::chrono::milliseconds retention) noexcept {
  const std::int64_t days = retention / std::chrono::hours(24);
  return std::clamp<std::int64_t>((days + 15) / 16, 1, 3'650);
}

/// The number of an advisory lock. Two keys that share one only wait for each other.
template <class... Parts>
std::int64_t lock_of(std::string_view what, const Parts&... parts) {
  detail::Checksum sum;
  sum.add(what);
  (sum.add(std::string_view(parts)), ...);
  return static_cast<std::int64_t>(sum.finish());
}

/// Until the end of the transaction.
inline constexpr const char* kLock = R"sql(SELECT pg_advisory_xact_lock($1))sql";

}  // namespace aiserve::inline v0::pg
