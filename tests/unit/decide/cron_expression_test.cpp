#include "decide/cron_expression.hpp"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr std::int64_t kDay = 86'400;

std::int64_t local(int year, unsigned month, unsigned day, int hour = 0, int minute = 0,
                   int second = 0) {
  const std::chrono::sys_days date{std::chrono::year(year) / std::chrono::month(month) /
                                   std::chrono::day(day)};
  return date.time_since_epoch().count() * kDay + hour * 3600 + minute * 60 + second;
}

CronExpression cron(const std::string& text) {
  const auto parsed = parse_cron(text);
  REQUIRE_MESSAGE(parsed, parsed.error);
  return *parsed.value;
}

/// The first times from Thursday, 1 January 2026 on.
std::vector<std::int64_t> first_times(const std::string& text, std::size_t count) {
  const CronExpression expression = cron(text);
  std::vector<std::int64_t> times;
  std::int64_t from = local(2026, 1, 1);
  while (times.size() < count) {
    const auto next = expression.first_in(from, from + 3000 * kDay);
    REQUIRE(next.has_value());
    times.push_back(*next);
    from = *next + 1;
  }
  return times;
}

using Times = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("numbers, lists, ranges and steps name their times") {
  CHECK(first_times("30 2 * * *", 2) == Times{local(2026, 1, 1, 2, 30), local(2026, 1, 2, 2, 30)});
  CHECK(first_times("0,20-22 5 * * *", 4) ==
        Times{local(2026, 1, 1, 5, 0), local(2026, 1, 1, 5, 20), local(2026, 1, 1, 5, 21),
              local(2026, 1, 1, 5, 22)});
  CHECK(first_times("*/25 * * * *", 4) == Times{local(2026, 1, 1, 0, 0), local(2026, 1, 1, 0, 25),
                                                local(2026, 1, 1, 0, 50), local(2026, 1, 1, 1, 0)});
  CHECK(first_times("10-30/10 0 * * *", 4) ==
        Times{local(2026, 1, 1, 0, 10), local(2026, 1, 1, 0, 20), local(2026, 1, 1, 0, 30),
              local(2026, 1, 2, 0, 10)});
  CHECK(first_times("50/5 0 * * *", 3) ==
        Times{local(2026, 1, 1, 0, 50), local(2026, 1, 1, 0, 55), local(2026, 1, 2, 0, 50)});
}

TEST_CASE("six fields begin with seconds, five run at second 0") {
  CHECK(first_times("15,45 0 0 * * *", 3) == Times{local(2026, 1, 1, 0, 0, 15),
                                                   local(2026, 1, 1, 0, 0, 45),
                                                   local(2026, 1, 2, 0, 0, 15)});
  CHECK(first_times("  59   59 23 31 dec\t* ", 1) == Times{local(2026, 12, 31, 23, 59, 59)});
}

TEST_CASE("months and weekdays have names in any case, and Sunday is 0 and 7") {
  CHECK(first_times("0 0 1 Feb,NOV *", 2) == Times{local(2026, 2, 1), local(2026, 11, 1)});
  CHECK(first_times("0 0 * * Mon", 2) == Times{local(2026, 1, 5), local(2026, 1, 12)});
  CHECK(first_times("0 0 * * 0", 1) == Times{local(2026, 1, 4)});
  CHECK(first_times("0 0 * * 7", 1) == Times{local(2026, 1, 4)});
  CHECK(first_times("0 0 * * sat-7", 3) ==
        Times{local(2026, 1, 3), local(2026, 1, 4), local(2026, 1, 10)});
  CHECK(first_times("0 0 * * sun-tue", 3) ==
        Times{local(2026, 1, 4), local(2026, 1, 5), local(2026, 1, 6)});
}

TEST_CASE("two restricted fields of days match either, else both") {
  CHECK(first_times("0 0 13 * fri", 3) ==
        Times{local(2026, 1, 2), local(2026, 1, 9), local(2026, 1, 13)});
  CHECK(first_times("0 0 */2 * fri", 2) == Times{local(2026, 1, 9), local(2026, 1, 23)});
  CHECK(first_times("0 0 ? * fri", 2) == Times{local(2026, 1, 2), local(2026, 1, 9)});
  CHECK(first_times("0 0 13 * ?", 1) == Times{local(2026, 1, 13)});
}

TEST_CASE("L is the last day of each month, alone or with others") {
  CHECK(first_times("0 0 L * *", 3) ==
        Times{local(2026, 1, 31), local(2026, 2, 28), local(2026, 3, 31)});
  CHECK(first_times("0 0 15,L feb *", 4) ==
        Times{local(2026, 2, 15), local(2026, 2, 28), local(2027, 2, 15), local(2027, 2, 28)});
}

TEST_CASE("29 February comes in leap years only") {
  CHECK(first_times("0 12 29 2 *", 2) == Times{local(2028, 2, 29, 12), local(2032, 2, 29, 12)});
}

TEST_CASE("nicknames mean what cron says") {
  CHECK(first_times("@yearly", 2) == Times{local(2026, 1, 1), local(2027, 1, 1)});
  CHECK(first_times("@annually", 2) == Times{local(2026, 1, 1), local(2027, 1, 1)});
  CHECK(first_times("@Monthly", 2) == Times{local(2026, 1, 1), local(2026, 2, 1)});
  CHECK(first_times("@weekly", 2) == Times{local(2026, 1, 4), local(2026, 1, 11)});
  CHECK(first_times("@daily", 2) == Times{local(2026, 1, 1), local(2026, 1, 2)});
  CHECK(first_times("@midnight", 1) == Times{local(2026, 1, 1)});
  CHECK(first_times("@hourly", 2) == Times{local(2026, 1, 1), local(2026, 1, 1, 1)});
}

TEST_CASE("an expression with every hour is about time that passes") {
  CHECK(cron("*/15 * * * *").every_hour());
  CHECK(cron("0 0-23 * * *").every_hour());
  CHECK_FALSE(cron("0 */2 * * *").every_hour());
}

TEST_CASE("an interval is searched up to its end and no farther") {
  const CronExpression noon = cron("0 12 * * *");
  CHECK(noon.first_in(local(2026, 1, 1), local(2026, 1, 1, 12)) == std::nullopt);
  CHECK(noon.first_in(local(2026, 1, 1, 12), local(2026, 1, 1, 12, 0, 1)) == local(2026, 1, 1, 12));
  CHECK(noon.first_in(local(2026, 1, 2), local(2026, 1, 1)) == std::nullopt);
  CHECK(noon.first_in(local(1969, 12, 31, 11, 59, 59), 0) == local(1969, 12, 31, 12));
}

TEST_CASE("what is no expression, or likely not what was meant, is refused with a reason") {
  const std::vector<std::string> wrong = {
      "",
      "* * * *",
      "* * * * * * *",
      "@reboot",
      "@",
      "60 * * * *",
      "* 24 * * *",
      "* * 0 * *",
      "* * 32 * *",
      "* * * 0 *",
      "* * * 13 *",
      "* * * * 8",
      "60 * * * * *",
      "-1 * * * *",
      "1- * * * *",
      "-5 * * * *",
      "5-1 * * * *",
      "22-2 * * * *x",
      "fri * * * *",
      "* * * * fri-mon",
      "*/0 * * * *",
      "*/60 * * * *",
      "*/ * * * *",
      "1/2/3 * * * *",
      "1,,2 * * * *",
      ",1 * * * *",
      "1, * * * *",
      "* * ,5 * *",
      "* * L, * *",
      "* * * * L",
      "L * * * *",
      "? * * * *",
      "* * LW * *",
      "0 0 30 2 *",
      "0 0 31 4,6,9,11 *",
      "1.5 * * * *",
      "+1 * * * *",
      "001 * * * *",
      "* * * janu *",
      "0x1 * * * *",
      std::string("0\0 * * * *", 10),
      "** * * * *",
      "*5 * * * *",
      std::string(257, '*'),
      "99999999999999999999 * * * *",
      "1-2-3 * * * *",
      "* * * * mon-",
      "* * 1-L * *",
  };
  for (const std::string& text : wrong) {
    CAPTURE(text);
    const auto parsed = parse_cron(text);
    CHECK_FALSE(parsed);
    CHECK(parsed.error.substr(0, 5) == "cron:");
  }
  CHECK(parse_cron("61 * * * *").error == "cron: '61' is no minute (0-59)");
}

TEST_CASE("random changes to expressions are refused or give times within bounds") {
  const std::array<std::string, 3> good = {"*/5 1-7,22 L,1 jan-may mon-fri", "0 30 2 ? * sun,7",
                                           "@weekly"};
  std::mt19937_64 random(17);
  int read = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string text = good[random() % good.size()];
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
      text[random() % text.size()] = "0123456789*/,-?L mjfs@"[random() % 22];
    }
    const auto parsed = parse_cron(text);
    if (!parsed) continue;
    ++read;
    const std::int64_t from = local(2026, 1, 1) + static_cast<std::int64_t>(random() % kDay);
    const auto next = parsed.value->first_in(from, from + 3000 * kDay);
    if (next) CHECK(*next >= from);
    if (next) CHECK(parsed.value->first_in(*next, *next + 1) == next);
  }
  CHECK(read > 1'000);
}
