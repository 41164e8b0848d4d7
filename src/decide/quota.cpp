#include "decide/quota.hpp"

#include <algorithm>
#include <chrono>

namespace aiserve::inline v0::decide {
namespace {

using std::chrono::sys_days;
using Wall = std::chrono::sys_time<std::chrono::nanoseconds>;

struct Window {
  std::int64_t number = 0;
  Wall begin;
  Wall end;
};

Window day_at(Wall now) noexcept {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  return {day.time_since_epoch().count(), day, day + std::chrono::days(1)};
}

Window month_at(Wall now) noexcept {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(now));
  const std::chrono::year_month month(date.year(), date.month());
  const std::int64_t number = (static_cast<int>(date.year()) - 1970) * 12 +
                              static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  return {number, sys_days(month / 1), sys_days((month + std::chrono::months(1)) / 1)};
}

void enter(QuotaCount& count, const Window& window) noexcept {
  if (count.window < window.number) count = {window.number, 0};
}

bool has_room(const QuotaCount& count, std::int64_t limit, std::int64_t amount) noexcept {
  return limit == kNoQuota || amount <= limit - std::min(count.used, limit);
}

void add(QuotaCount& count, std::int64_t amount) noexcept {
  if (__builtin_add_overflow(count.used, amount, &count.used)) count.used = INT64_MAX;
}

QuotaStanding standing(const QuotaCount& count, std::int64_t limit, const Window& window,
                       Wall now) noexcept {
  return {limit, limit == kNoQuota ? 0 : std::max<std::int64_t>(limit - count.used, 0),
          (window.end - now).count(), (window.end - window.begin).count()};
}

}  // namespace

QuotaVerdict quota_take(QuotaCounts& counts, const QuotaLimits& limits, std::int64_t amount,
                        Nanos wall) noexcept {
  const Wall now{std::chrono::nanoseconds(wall)};
  const Window day = day_at(now);
  const Window month = month_at(now);
  enter(counts.day, day);
  enter(counts.month, month);
  const bool day_ok = has_room(counts.day, limits.per_day, amount);
  const bool month_ok = has_room(counts.month, limits.per_month, amount);
  QuotaVerdict verdict;
  verdict.allowed = day_ok && month_ok;
  if (verdict.allowed) {
    add(counts.day, amount);
    add(counts.month, amount);
  }
  verdict.day = standing(counts.day, limits.per_day, day, now);
  verdict.month = standing(counts.month, limits.per_month, month, now);
  if (!day_ok) verdict.retry_after = verdict.day.reset_after;
  if (!month_ok) verdict.retry_after = verdict.month.reset_after;
  return verdict;
}

}  // namespace aiserve::inline v0::decide
