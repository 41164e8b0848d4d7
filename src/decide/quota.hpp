// Quotas: how many requests the days and months of the calendar, in UTC, have seen. Pure.
#pragma once

#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

inline constexpr std::int64_t kNoQuota = -1;

struct QuotaLimits {
  std::int64_t per_day = kNoQuota;
  std::int64_t per_month = kNoQuota;
};

// What has been counted, with the window it was counted in. As new: of a window long past.
struct QuotaCount {
  std::int64_t window = 0;  // of days since 1970-01-01, or of months since January 1970
  std::int64_t used = 0;

  friend bool operator==(const QuotaCount&, const QuotaCount&) = default;
};
struct QuotaCounts {
  QuotaCount day;
  QuotaCount month;

  friend bool operator==(const QuotaCounts&, const QuotaCounts&) = default;
};

struct QuotaStanding {
  std::int64_t limit = kNoQuota;
  std::int64_t remaining = 0;
  Nanos reset_after = 0;  // until the window ends
  Nanos window = 0;       // its length
};
struct QuotaVerdict {
  bool allowed = false;
  QuotaStanding day;
  QuotaStanding month;
  Nanos retry_after = 0;  // of a refused one: until the windows that refuse it have ended
};

// Takes `amount`, at least 1, of both or of neither; `wall` is nanoseconds since 1970,
// up to the year 2261. A clock that
// jumps back does not give a window back that has been left.
QuotaVerdict quota_take(QuotaCounts& counts, const QuotaLimits& limits, std::int64_t amount,
                        Nanos wall) noexcept;

}  // namespace aiserve::inline v0::decide
