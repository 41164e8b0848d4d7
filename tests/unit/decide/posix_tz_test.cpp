#include "decide/posix_tz.hpp"

#include <array>
#include <cstdlib>
#include <random>
#include <string>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

// Seconds since 1970 of a date and time, by the formula of Howard Hinnant's "chrono-Compatible
// Low-Level Date Algorithms".
std::int64_t seconds(int year, int month, int day, int hour = 0, int minute = 0) {
  year -= month <= 2 ? 1 : 0;
  const int era = (year >= 0 ? year : year - 399) / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  const std::int64_t days = std::int64_t{era} * 146097 + day_of_era - 719468;
  return days * 86'400 + hour * 3'600 + minute * 60;
}

YearlyRule begin_of(const std::string& rule) {
  const auto zone = parse_posix_tz("AAA0BBB," + rule + ",J1");
  REQUIRE_MESSAGE(zone, zone.error);
  return zone.value->summer->begin;
}

}  // namespace

TEST_CASE("a zone without summer time is an offset, west counted positive as POSIX does") {
  CHECK(parse_posix_tz("UTC0").value->offset == 0);
  CHECK(parse_posix_tz("IST-5:30").value->offset == 19'800);
  CHECK(parse_posix_tz("EST5").value->offset == -18'000);
  CHECK(parse_posix_tz("<+0330>-3:30:15").value->offset == 12'615);
  CHECK_FALSE(parse_posix_tz("UTC0").value->summer);
}

TEST_CASE("summer time is an hour ahead unless it says otherwise") {
  CHECK(parse_posix_tz("CET-1CEST,M3.5.0,M10.5.0/3").value->summer->offset == 7'200);
  const auto lord_howe = parse_posix_tz("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
  CHECK(lord_howe.value->offset == 37'800);
  CHECK(lord_howe.value->summer->offset == 39'600);
  CHECK(parse_posix_tz("IST-1GMT0,M10.5.0,M3.5.0/1").value->summer->offset == 0);
}

TEST_CASE("rules by weekday, by day without 29 February and by day with it find their date") {
  CHECK(begin_of("M3.5.0").in(2026) == seconds(2026, 3, 29, 2));
  CHECK(begin_of("M3.2.0").in(2026) == seconds(2026, 3, 8, 2));
  CHECK(begin_of("M2.5.4/0").in(2024) == seconds(2024, 2, 29));
  CHECK(begin_of("M2.5.4/0").in(2025) == seconds(2025, 2, 27));
  CHECK(begin_of("J59/0").in(2024) == seconds(2024, 2, 28));
  CHECK(begin_of("J60/0").in(2024) == seconds(2024, 3, 1));
  CHECK(begin_of("J60/0").in(2025) == seconds(2025, 3, 1));
  CHECK(begin_of("59/0").in(2024) == seconds(2024, 2, 29));
  CHECK(begin_of("59/0").in(2025) == seconds(2025, 3, 1));
}

TEST_CASE("the time of day of a rule may lie days before or after its date") {
  CHECK(begin_of("M3.4.4/50").in(2026) == seconds(2026, 3, 28, 2));
  CHECK(begin_of("M3.5.0/-2").in(2026) == seconds(2026, 3, 28, 22));
  CHECK(begin_of("M3.5.0/1:30").in(2026) == seconds(2026, 3, 29, 1, 30));
}

TEST_CASE("texts that are no rule, or only nearly one, are refused") {
  const std::array<const char*, 26> wrong = {
      "",
      "C",
      "CET",
      "CE1",
      "CET-1CEST",
      "CET-1CEST,M3.5.0",
      "CET-25",
      "CET-1:60",
      "CET-1:00:60",
      "CET-1CEST,M3.5.0,M10.5.0/3 ",
      " CET-1",
      "CET-1CEST,M13.1.0,M10.5.0",
      "CET-1CEST,M0.1.0,M10.5.0",
      "CET-1CEST,M3.6.0,M10.5.0",
      "CET-1CEST,M3.0.0,M10.5.0",
      "CET-1CEST,M3.5.7,M10.5.0",
      "CET-1CEST,J0,J5",
      "CET-1CEST,J366,J5",
      "CET-1CEST,366,5",
      "CET-1CEST,M3.5.0/168,M10.5.0",
      "<CET-1",
      "<C>-1",
      "CET--1",
      "CET-1CEST,M3.5.0,M10.5.0,",
      "CET-1CEST;M3.5.0;M10.5.0",
      "CET-9999999999",
  };
  for (const char* text : wrong) {
    CAPTURE(text);
    const auto zone = parse_posix_tz(text);
    CHECK_FALSE(zone);
    CHECK(zone.error.find(text) != std::string::npos);
  }
}

TEST_CASE("random changes to a rule are read or refused, never more") {
  const std::string good = "<+1030>-10:30<+11>-11,M10.1.0/2,J300/-167:59:59";
  std::mt19937_64 random(3);
  int read = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = good;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
      text[random() % text.size()] = "0123456789,./:+-<>MJAZ \0"[random() % 24];
    }
    if (random() % 4 == 0) text.resize(random() % text.size());
    const auto zone = parse_posix_tz(text);
    if (!zone) continue;
    ++read;
    CHECK(std::abs(zone.value->offset) <= 25 * 3600);
    if (zone.value->summer) CHECK(zone.value->summer->begin.in(2026) > seconds(2025, 12, 20));
  }
  CHECK(read > 100);
}
