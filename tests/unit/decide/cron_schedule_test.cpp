#include "decide/cron_schedule.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kMinute = 60 * kSecond;
constexpr Nanos kHour = 60 * kMinute;
constexpr Nanos kDay = 24 * kHour;

constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
constexpr const char* kNewYork = "EST5EDT,M3.2.0,M11.1.0";
constexpr const char* kLordHowe = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0";
constexpr const char* kKolkata = "IST-5:30";

Nanos utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  const std::chrono::sys_days date{std::chrono::year(year) / std::chrono::month(month) /
                                   std::chrono::day(day)};
  return date.time_since_epoch().count() * kDay + hour * kHour + minute * kMinute;
}

struct Schedule {
  Schedule(const std::string& text, const char* rule)
      : cron(*parse_cron(text).value), zone(0, {}, parse_posix_tz(rule).value) {}

  Nanos after(Nanos time) const { return next_run(cron, zone, time); }
  std::vector<Nanos> runs(Nanos after_time, std::size_t count) const {
    std::vector<Nanos> runs;
    for (Nanos time = after_time; runs.size() < count; runs.push_back(time)) time = after(time);
    return runs;
  }
  DueRuns due(const CatchUpPolicy& policy, Nanos last, Nanos now) const {
    return due_runs(cron, zone, policy, last, now);
  }

  CronExpression cron;
  TimeZone zone;
};

using Runs = std::vector<Nanos>;

}  // namespace

TEST_CASE("a time of day is that of its zone, in winter and in summer") {
  CHECK(Schedule("0 8 * * *", kBerlin).after(utc(2026, 1, 10)) == utc(2026, 1, 10, 7));
  CHECK(Schedule("0 8 * * *", kBerlin).after(utc(2026, 7, 10)) == utc(2026, 7, 10, 6));
  CHECK(Schedule("0 8 * * *", kNewYork).after(utc(2026, 1, 10)) == utc(2026, 1, 10, 13));
  CHECK(Schedule("0 8 * * *", kNewYork).after(utc(2026, 7, 10)) == utc(2026, 7, 10, 12));
  CHECK(Schedule("0 8 * * *", kKolkata).after(utc(2026, 1, 10)) == utc(2026, 1, 10, 2, 30));
  CHECK(Schedule("0 8 * * *", "UTC0").after(utc(2026, 1, 10)) == utc(2026, 1, 10, 8));
  CHECK(Schedule("0 8 * * *", kLordHowe).after(utc(2026, 1, 9)) == utc(2026, 1, 9, 21));
  CHECK(Schedule("0 8 * * *", kLordHowe).after(utc(2026, 7, 9)) == utc(2026, 7, 9, 21, 30));
}

TEST_CASE("the next run is after the instant asked for, never at it") {
  const Schedule daily("0 8 * * *", "UTC0");
  const Nanos eight = utc(2026, 1, 10, 8);
  CHECK(daily.after(eight - 1) == eight);
  CHECK(daily.after(eight) == eight + kDay);
  CHECK(daily.after(eight + 1) == eight + kDay);
  CHECK(Schedule("* * * * * *", "UTC0").after(-1) == 0);
  CHECK(Schedule("* * * * * *", "UTC0").after(-kSecond - 1) == -kSecond);
}

TEST_CASE("a skipped local time runs once, at the end of the gap") {
  const Schedule berlin("30 2 * * *", kBerlin);  // 29 March 2026: 02:00 becomes 03:00
  CHECK(berlin.runs(utc(2026, 3, 28), 3) ==
        Runs{utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1), utc(2026, 3, 30, 0, 30)});
  const Schedule new_york("30 2 * * *", kNewYork);  // 8 March 2026
  CHECK(new_york.runs(utc(2026, 3, 7), 3) ==
        Runs{utc(2026, 3, 7, 7, 30), utc(2026, 3, 8, 7), utc(2026, 3, 9, 6, 30)});
  const Schedule lord_howe("15 2 * * *", kLordHowe);  // 4 October 2026: 02:00 becomes 02:30
  CHECK(lord_howe.runs(utc(2026, 10, 2), 3) ==
        Runs{utc(2026, 10, 2, 15, 45), utc(2026, 10, 3, 15, 30), utc(2026, 10, 4, 15, 15)});
}

TEST_CASE(
    "however many skipped times there are, and whatever runs at the end of the gap, it is one") {
  CHECK(Schedule("*/10 2 * * *", kBerlin).runs(utc(2026, 3, 29), 2) ==
        Runs{utc(2026, 3, 29, 1), utc(2026, 3, 30, 0)});
  CHECK(Schedule("0,30 2,3 * * *", kBerlin).runs(utc(2026, 3, 29), 3) ==
        Runs{utc(2026, 3, 29, 1), utc(2026, 3, 29, 1, 30), utc(2026, 3, 30, 0)});
}

TEST_CASE("a repeated local time runs once, the first time") {
  const Schedule berlin("30 2 * * *", kBerlin);  // 25 October 2026: 03:00 becomes 02:00
  CHECK(berlin.runs(utc(2026, 10, 24, 12), 2) ==
        Runs{utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)});
  CHECK(berlin.after(utc(2026, 10, 25, 1, 10)) == utc(2026, 10, 26, 1, 30));
  const Schedule new_york("30 1 * * *", kNewYork);  // 1 November 2026
  CHECK(new_york.runs(utc(2026, 11, 1), 2) ==
        Runs{utc(2026, 11, 1, 5, 30), utc(2026, 11, 2, 6, 30)});
  const Schedule lord_howe("45 1 * * *", kLordHowe);  // 5 April 2026: 02:00 becomes 01:30
  CHECK(lord_howe.runs(utc(2026, 4, 4), 2) ==
        Runs{utc(2026, 4, 4, 14, 45), utc(2026, 4, 5, 15, 15)});
}

TEST_CASE("times right at the change belong to the new offset") {
  CHECK(Schedule("0 3 * * *", kBerlin).after(utc(2026, 10, 24, 12)) == utc(2026, 10, 25, 2));
  CHECK(Schedule("0 3 * * *", kBerlin).after(utc(2026, 3, 28, 12)) == utc(2026, 3, 29, 1));
  CHECK(Schedule("0 2 * * *", kBerlin).after(utc(2026, 10, 24, 12)) == utc(2026, 10, 25, 0));
}

TEST_CASE("an expression with every hour follows the time that passes") {
  const Schedule berlin("30 * * * *", kBerlin);
  CHECK(berlin.runs(utc(2026, 3, 29), 3) ==
        Runs{utc(2026, 3, 29, 0, 30), utc(2026, 3, 29, 1, 30), utc(2026, 3, 29, 2, 30)});
  CHECK(berlin.runs(utc(2026, 10, 25), 3) ==
        Runs{utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30), utc(2026, 10, 25, 2, 30)});
}

TEST_CASE("a day that a zone skipped runs at the start of the next") {
  // Samoa went from UTC-10 to UTC+14 at the end of 29 December 2011.
  const TimeZone samoa(-10 * 3600, {{utc(2011, 12, 30, 10) / kSecond, 14 * 3600}}, {});
  const CronExpression noon = *parse_cron("0 12 * * *").value;
  const Nanos first = next_run(noon, samoa, utc(2011, 12, 29, 23));
  CHECK(first == utc(2011, 12, 30, 10));
  CHECK(next_run(noon, samoa, first) == utc(2011, 12, 30, 22));
}

TEST_CASE("a gap that reaches back over repeated times does not run them again") {
  // Back by an hour at 01:00, forward by an hour at 01:30 UTC.
  const Nanos back = utc(2026, 1, 1, 1);
  const TimeZone zone(3600, {{back / kSecond, 0}, {back / kSecond + 1800, 3600}}, {});
  const Nanos start = utc(2025, 12, 31, 12);
  const Nanos first = next_run(*parse_cron("40 1 * * *").value, zone, start);
  CHECK(first == back - 20 * kMinute);
  CHECK(next_run(*parse_cron("40 1 * * *").value, zone, first) == first + kDay);
  CHECK(next_run(*parse_cron("15 2 * * *").value, zone, start) == back + 30 * kMinute);
}

TEST_CASE("rare dates are found, dates beyond the end of time are not") {
  CHECK(Schedule("0 0 29 2 *", "UTC0").after(utc(2096, 3, 1)) == utc(2104, 2, 29));
  CHECK(Schedule("0 0 29 2 */7", "UTC0").after(utc(2088, 3, 1)) == utc(2128, 2, 29));
  CHECK(Schedule("@yearly", "UTC0").after(kNever) == kNever);
  CHECK(Schedule("@yearly", "UTC0").after(kNever - kDay) == kNever);
  CHECK(Schedule("@yearly", kBerlin).after(INT64_MIN) < utc(1679, 1, 2));
}

TEST_CASE("the last run before an instant is found whatever lies between") {
  const Schedule monthly("0 0 1 * *", kBerlin);
  CHECK(last_run(monthly.cron, monthly.zone, utc(2020, 1, 1), utc(2026, 5, 20)) ==
        utc(2026, 4, 30, 22));
  CHECK(last_run(monthly.cron, monthly.zone, utc(2026, 5, 1), utc(2026, 5, 20)) == kNever);
  CHECK(last_run(monthly.cron, monthly.zone, utc(2026, 4, 30, 21), utc(2026, 4, 30, 22)) ==
        utc(2026, 4, 30, 22));
  CHECK(last_run(monthly.cron, monthly.zone, 5, 4) == kNever);
  CHECK(last_run(monthly.cron, monthly.zone, INT64_MIN, INT64_MIN + 5) == kNever);
}

TEST_CASE("a run that is due on time runs under every policy") {
  const Schedule hourly("0 * * * *", "UTC0");
  const Nanos noon = utc(2026, 1, 1, 12);
  for (const CatchUp mode : {CatchUp::none, CatchUp::latest, CatchUp::all}) {
    const DueRuns due = hourly.due({.mode = mode}, noon - kMinute, noon + kMinute);
    CHECK(due.runs == Runs{noon});
    CHECK(due.decided_until == noon + kMinute);
    CHECK(due.next == noon + kHour);
  }
}

TEST_CASE("missed runs are forgotten, made up for once, or all") {
  const Schedule hourly("0 * * * *", "UTC0");
  const Nanos last = utc(2026, 1, 1, 8, 30);
  const Nanos now = utc(2026, 1, 1, 12, 30);
  CHECK(hourly.due({.mode = CatchUp::none}, last, now).runs.empty());
  CHECK(hourly.due({.mode = CatchUp::latest}, last, now).runs == Runs{utc(2026, 1, 1, 12)});
  CHECK(hourly.due({.mode = CatchUp::all}, last, now).runs ==
        Runs{utc(2026, 1, 1, 9), utc(2026, 1, 1, 10), utc(2026, 1, 1, 11), utc(2026, 1, 1, 12)});
}

TEST_CASE("a run on time makes up for those missed before it") {
  const Schedule hourly("0 * * * *", "UTC0");
  const Nanos now = utc(2026, 1, 1, 12) + kSecond;
  CHECK(hourly.due({.mode = CatchUp::latest}, utc(2026, 1, 1, 8, 30), now).runs ==
        Runs{utc(2026, 1, 1, 12)});
}

TEST_CASE("what was missed before the window is forgotten") {
  const Schedule daily("0 0 * * *", "UTC0");
  const CatchUpPolicy all{.mode = CatchUp::all, .window = 3 * kDay};
  CHECK(daily.due(all, utc(2025, 1, 1), utc(2026, 1, 10, 6)).runs ==
        Runs{utc(2026, 1, 8), utc(2026, 1, 9), utc(2026, 1, 10)});
  const Schedule yearly("@yearly", "UTC0");
  CHECK(yearly.due({.mode = CatchUp::latest}, utc(2025, 6, 1), utc(2026, 1, 3)).runs.empty());
}

TEST_CASE("more missed runs than one answer may have come in the next ones") {
  const Schedule secondly("* * * * * *", "UTC0");
  const CatchUpPolicy policy{.mode = CatchUp::all, .window = 250 * kSecond, .max_runs = 100};
  Nanos last = utc(2026, 1, 1);
  const Nanos now = last + 250 * kSecond;
  std::size_t runs = 0;
  for (int answers = 0; answers < 3; ++answers) {
    const DueRuns due = secondly.due(policy, last, now);
    CHECK(due.runs.front() == last + kSecond);
    runs += due.runs.size();
    last = due.decided_until;
  }
  CHECK(runs == 250);
  CHECK(last == now);
}

TEST_CASE("a clock that steps back makes nothing run twice") {
  const Schedule hourly("0 * * * *", "UTC0");
  const Nanos last = utc(2026, 1, 1, 12, 5);
  const DueRuns due = hourly.due({.mode = CatchUp::all}, last, last - 2 * kHour);
  CHECK(due.runs.empty());
  CHECK(due.decided_until == last);
  CHECK(due.next == utc(2026, 1, 1, 13));
}
