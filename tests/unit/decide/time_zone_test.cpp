#include "decide/time_zone.hpp"

#include <array>
#include <random>

#include <doctest/doctest.h>

#include "unit/decide/library_zone.hpp"

using namespace aiserve::decide;
using zone_test::LibraryZone;

namespace {

TimeZone zone_of(const char* rule) {
  const auto parsed = parse_posix_tz(rule);
  REQUIRE_MESSAGE(parsed, parsed.error);
  return TimeZone(0, {}, parsed.value);
}

constexpr std::array<const char*, 8> kRules = {
    "CET-1CEST,M3.5.0,M10.5.0/3",            // Europe/Berlin
    "EST5EDT,M3.2.0,M11.1.0",                // America/New_York
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",  // Australia/Lord_Howe
    "IST-5:30",                              // Asia/Kolkata
    "IST-1GMT0,M10.5.0,M3.5.0/1",            // Europe/Dublin
    "EET-2EEST,M3.4.4/50,M10.4.4/50",        // Asia/Gaza
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",       // America/Nuuk
    "NZST-12NZDT,M9.5.0,M4.1.0/3",           // Pacific/Auckland
};

}  // namespace

TEST_CASE("over random instants of five centuries offsets are those of the C library") {
  std::mt19937_64 random(11);
  for (const char* rule : kRules) {
    CAPTURE(rule);
    const TimeZone zone = zone_of(rule);
    const LibraryZone library(rule);
    for (int i = 0; i < 4'000; ++i) {
      const auto instant = static_cast<std::int64_t>(random() % 16'000'000'000);
      CAPTURE(instant);
      CHECK(zone.at(instant).offset == library.offset(instant));
    }
  }
}

TEST_CASE(
    "spans touch without a gap, contain their instants and change where the library changes") {
  for (const char* rule : kRules) {
    CAPTURE(rule);
    const TimeZone zone = zone_of(rule);
    const LibraryZone library(rule);
    std::int64_t at = 1'700'000'000;
    for (int i = 0; i < 40 && at < TimeZone::kEnd; ++i) {
      const TimeZone::Span span = zone.at(at);
      CHECK(span.begin <= at);
      CHECK(at < span.end);
      if (span.end == TimeZone::kEnd) break;
      CHECK(library.offset(span.end - 1) == span.offset);
      CHECK(library.offset(span.end) == zone.at(span.end).offset);
      CHECK(zone.at(span.end).begin == span.end);
      CHECK(zone.at(span.end - 1).begin == span.begin);
      at = span.end;
    }
  }
}

TEST_CASE("changes come first, the rule holds from the last of them on") {
  const auto rule = parse_posix_tz("CET-1CEST,M3.5.0,M10.5.0/3");
  const TimeZone zone(600, {{100, 3'600}, {200, -60}}, rule.value);
  CHECK(zone.at(99).offset == 600);
  CHECK(zone.at(99).begin == TimeZone::kBeginning);
  CHECK(zone.at(99).end == 100);
  CHECK(zone.at(100).offset == 3'600);
  CHECK(zone.at(199).end == 200);
  CHECK(zone.at(200).offset == 3'600);
  CHECK(zone.at(200).begin == 200);
  CHECK(zone.at(1'783'000'000).offset == 7'200);
}

TEST_CASE("without a rule the last offset stays, without changes the first") {
  const TimeZone zone(600, {{100, 3'600}}, {});
  CHECK(zone.at(1'783'000'000).offset == 3'600);
  CHECK(zone.at(INT64_MAX).end == TimeZone::kEnd);
  CHECK(TimeZone().at(5).offset == 0);
  CHECK(TimeZone(-60).at(INT64_MIN).offset == -60);
}

TEST_CASE("summer time from New Year to New Year never ends") {
  const TimeZone zone = zone_of("XXX3EDT4,0/0,J365/23");
  for (std::int64_t at = 1'700'000'000; at < 1'800'000'000; at += 5'000'000) {
    CHECK(zone.at(at).offset == -4 * 3'600);
  }
}
