// CronExpression: which local times a schedule names. Pure; cron_schedule.hpp adds the time zone.
//
// Five fields, or six that begin with seconds:
//
//     [second 0-59] minute 0-59  hour 0-23  day of month 1-31  month 1-12|jan-dec  weekday
//     0-7|sun-sat
//
// Each is a list of `*`, n, a-b, and with a step */s, a-b/s, a/s (from a to the end); `?` is `*`
// for the two fields of days; `L` is the last day of the month; weekdays 0 and 7 are Sunday. As in
// crontab(5): if both fields of days are restricted, that is, neither begins with * or ?, a day
// matches that fits either. @yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly
// work. Refused is what is likely a mistake: ranges that run backwards, steps beyond the field's
// range, and dates that never come.
//
//   const auto cron = parse_cron("30 2 * * mon-fri");
//   if (!cron) return cron.error;  // for the one who wrote it
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "decide/parsed.hpp"

namespace aiserve::inline v0::decide {

class CronExpression {
 public:
  /// Sets of numbers as bits, and what the fields of days looked like.
  struct Fields {
    std::uint64_t seconds = 1;
    std::uint64_t minutes = 0;
    std::uint64_t hours = 0;
    std::uint64_t days = 0;
    std::uint64_t months = 0;
    std::uint64_t weekdays = 0;  ///< 0: Sunday
    bool last_day = false;
    bool any_day = false;      ///< the field began with *
    bool any_weekday = false;  ///< likewise
  };

  explicit CronExpression(const Fields& fields) noexcept : fields_(fields) {}

  /// The first local second at or after `from` and before `end` that it names.
  std::optional<std::int64_t> first_in(std::int64_t from, std::int64_t end) const noexcept;

  /// Every hour of the day: it is about time that passes, not about the time of day.
  bool every_hour() const noexcept { return fields_.hours == 0xFF'FFFF; }

 private:
  bool matches(std::chrono::year_month_day date) const noexcept;
  std::optional<std::int64_t> first_second(std::int64_t from) const noexcept;

  Fields fields_;
};

/// Texts of up to 256 characters.
Parsed<CronExpression> parse_cron(std::string_view text);

}  // namespace aiserve::inline v0::decide
