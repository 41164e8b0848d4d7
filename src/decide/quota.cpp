#include "decide/quota.hpp"

#include <algorithm>
#include <chrono>

namespace aiserve::inline v0::decide {
namespace {

using std::chrono::sys_days;
using Wall = std::chrono::sys_time<std::chrono::nanoseconds>;

Wall time_of(Nanos wall) noexcept { return Wall(std::chrono::nanoseconds(wall)); }

QuotaWindow window(std::int64_t number, Wall begin, Wall end, Wall now) noexcept {
  return {number, (end - begin).count(), (end - now).count()};
}

}  // namespace

QuotaWindow quota_day(Nanos wall) noexcept {
  const auto day = std::chrono::floor<std::chrono::days>(time_of(wall));
  return window(day.time_since_epoch().count(), day, day + std::chrono::days(1), time_of(wall));
}

QuotaWindow quota_month(Nanos wall) noexcept {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time_of(wall)));
  const std::chrono::year_month month(date.year(), date.month());
  const std::int64_t number = (static_cast<int>(date.year()) - 1970) * 12 +
                              static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  const Wall begin = sys_days(month / 1);
  const Wall end = sys_days((month + std::chrono::months(1)) / 1);
  return window(number, begin, end, time_of(wall));
}

std::int64_t QuotaStanding::remaining() const noexcept {
  return limit - std::clamp<std::int64_t>(used, 0, std::max<std::int64_t>(limit, 0));
}

bool QuotaStanding::has_room(std::int64_t amount) const noexcept {
  return limit == kNoQuota || amount <= remaining();
}

Nanos quota_retry_after(const QuotaStanding& day, const QuotaStanding& month, std::int64_t amount,
                        Nanos wall) noexcept {
  // No day ends after its month.
  if (!month.has_room(amount)) return quota_month(wall).reset_after;
  return day.has_room(amount) ? 0 : quota_day(wall).reset_after;
}

}  // namespace aiserve::inline v0::decide
