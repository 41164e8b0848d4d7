// Quotas: the days and months of the calendar, in UTC, that requests are counted in, and what their
// counts allow. Pure. `wall` is nanoseconds since 1970, up to the year 2261.
#pragma once

#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

inline constexpr std::int64_t kNoQuota = -1;

struct QuotaWindow {
  std::int64_t number = 0;  // of days since 1970-01-01, or of months since January 1970
  Nanos length = 0;
  Nanos reset_after = 0;  // until it ends
};
QuotaWindow quota_day(Nanos wall) noexcept;
QuotaWindow quota_month(Nanos wall) noexcept;

// What a window's count looks like to who wants `amount`, at least 1, of it.
struct QuotaStanding {
  std::int64_t limit = kNoQuota;
  std::int64_t used = 0;

  std::int64_t remaining() const noexcept;
  // Would one more of `amount` find room?
  bool has_room(std::int64_t amount) const noexcept;
};

// Of a request that was refused: until the windows without room for it have ended.
Nanos quota_retry_after(const QuotaStanding& day, const QuotaStanding& month, std::int64_t amount,
                        Nanos wall) noexcept;

}  // namespace aiserve::inline v0::decide
