#include "decide/cron_expression.hpp"

#include <bit>

namespace aiserve::inline v0::decide {
namespace {

constexpr std::int64_t kDay = 86'400;

/// The least member that is `from` or more.
std::optional<int> next_in(std::uint64_t set, std::int64_t from) noexcept {
  if (from > 63) return std::nullopt;
  const std::uint64_t rest = set >> from << from;
  if (rest == 0) return std::nullopt;
  return std::countr_zero(rest);
}

bool contains(std::uint64_t set, unsigned member) noexcept { return (set >> member & 1) != 0; }

std::chrono::sys_days day_of(std::int64_t local) noexcept {
  const std::int64_t floor = (local - (local < 0 ? kDay - 1 : 0)) / kDay;
  return std::chrono::sys_days(std::chrono::days(floor));
}

std::int64_t start_of(std::chrono::sys_days day) noexcept {
  return std::int64_t{day.time_since_epoch().count()} * kDay;
}

}  // namespace

bool CronExpression::matches(std::chrono::year_month_day date) const noexcept {
  const auto last = (date.year() / date.month() / std::chrono::last).day();
  const bool day = contains(fields_.days, static_cast<unsigned>(date.day())) ||
                   (fields_.last_day && date.day() == last);
  const std::chrono::weekday weekday{std::chrono::sys_days(date)};
  const bool day_of_week = contains(fields_.weekdays, weekday.c_encoding());
  const bool either = !fields_.any_day && !fields_.any_weekday;
  return either ? day || day_of_week : day && day_of_week;
}

/// Of a day that matches, from a second of the day on.
std::optional<std::int64_t> CronExpression::first_second(std::int64_t from) const noexcept {
  const std::int64_t at_hour = from / 3600;
  const std::int64_t at_minute = from / 60 % 60;
  const std::optional<int> first_hour = next_in(fields_.hours, at_hour);
  for (std::optional<int> hour = first_hour; hour; hour = next_in(fields_.hours, *hour + 1)) {
    const std::int64_t least_minute = *hour == at_hour ? at_minute : 0;
    for (auto minute = next_in(fields_.minutes, least_minute); minute;
         minute = next_in(fields_.minutes, *minute + 1)) {
      const bool same = *hour == at_hour && *minute == at_minute;
      const auto second = next_in(fields_.seconds, same ? from % 60 : 0);
      if (second) return *hour * 3600 + *minute * 60 + *second;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> CronExpression::first_in(std::int64_t from,
                                                     std::int64_t end) const noexcept {
  std::chrono::sys_days day = day_of(from);
  while (start_of(day) < end) {
    const std::chrono::year_month_day date(day);
    if (!contains(fields_.months, static_cast<unsigned>(date.month()))) {
      day = date.year() / date.month() / 1 + std::chrono::months(1);
      continue;
    }
    const std::int64_t start = start_of(day);
    const std::int64_t least = from > start ? from - start : 0;
    const auto second = matches(date) ? first_second(least) : std::nullopt;
    if (second) return start + *second < end ? std::optional(start + *second) : std::nullopt;
    day += std::chrono::days(1);
  }
  return std::nullopt;
}

}  // namespace aiserve::inline v0::decide
