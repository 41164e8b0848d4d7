// ClaimCursors: below which rank a process need not look for ready jobs. What was claimed and
// finished stays in the index until it is vacuumed; without a lower bound every claim walks over it
// again, which an old snapshot that is held open makes 24 to 41 times slower (measured, see
// docs/adr/0090). A bound is a hint: it is lowered when this process makes a job ready below it,
// dropped when another process tells that it did, and forgotten after kTrusted anyway.
// *Thread safety:* any thread.
#pragma once

#include <chrono>
#include <limits>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "postgres/job_counts.hpp"

namespace aiserve::inline v0::pg {

class ClaimCursors {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
  /// A job below the bound that nobody told of waits so long.
  static constexpr std::chrono::milliseconds kTrusted{200};

  /// No ready job of this tenant and kind is known below.
  std::int64_t bound(const TenantId& tenant, std::string_view kind, TimePoint now);
  /// Before a claim: what becomes ready meanwhile is remembered.
  std::int64_t begin(const TenantId& tenant, std::string_view kind, TimePoint now);
  /// Every ready job up to this rank was claimed, by a transaction that is committed.
  void claimed_up_to(const TenantId& tenant, std::string_view kind, std::int64_t rank);

  void made_ready(std::span<const ReadyJob> jobs);
  /// Somebody else made jobs ready.
  void forget();

 private:
  struct Bound {
    std::int64_t rank = kNone;
    std::int64_t lowest_since = std::numeric_limits<std::int64_t>::max();
    TimePoint trusted_until{};
  };
  using Key = std::pair<TenantId, std::string>;

  std::mutex mutex_;
  std::map<Key, Bound> bounds_;
};

}  // namespace aiserve::inline v0::pg
