#include "decide/quota.hpp"

#include <doctest/doctest.h>

namespace aiserve::decide {
namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kDay = 86'400 * kSecond;
constexpr Nanos kNewYear = 20'454 * kDay;  // 2026-01-01

TEST_CASE("a day ends at midnight, a month on the last of its days") {
  CHECK(quota_day(kNewYear).number == 20'454);
  CHECK(quota_day(kNewYear).length == kDay);
  CHECK(quota_day(kNewYear).reset_after == kDay);
  CHECK(quota_day(kNewYear + kDay - 1).number == 20'454);
  CHECK(quota_day(kNewYear + kDay - 1).reset_after == 1);
  CHECK(quota_day(kNewYear + kDay).number == 20'455);
  const QuotaWindow january = quota_month(kNewYear + kDay);
  CHECK(january.number == 56 * 12);
  CHECK(january.length == 31 * kDay);
  CHECK(january.reset_after == 30 * kDay);
  const QuotaWindow february = quota_month(kNewYear + 31 * kDay);
  CHECK(february.number == january.number + 1);
  CHECK(february.length == 28 * kDay);
}

TEST_CASE("leap days, year ends and the years before 1970 are windows like all others") {
  CHECK(quota_month(19'782 * kDay).length == 29 * kDay);  // 2024-02-29
  CHECK(quota_month(kNewYear - 1).number == quota_month(kNewYear).number - 1);
  CHECK(quota_month(kNewYear - 1).reset_after == 1);
  CHECK(quota_day(-1).number == -1);  // the last moment of 1969
  CHECK(quota_day(-1).reset_after == 1);
  CHECK(quota_month(-1).number == -1);
}

TEST_CASE("what is left of a limit is never below nothing, nor above the limit") {
  CHECK(QuotaStanding{10, 4}.remaining() == 6);
  CHECK(QuotaStanding{10, 10}.remaining() == 0);
  CHECK(QuotaStanding{5, 10}.remaining() == 0);  // it was lowered
  CHECK(QuotaStanding{0, 0}.remaining() == 0);
  CHECK(QuotaStanding{10, -1}.remaining() == 10);
  CHECK(QuotaStanding{INT64_MAX, INT64_MAX}.remaining() == 0);
}

TEST_CASE("many find room at once, or none of them") {
  CHECK(QuotaStanding{10, 4}.has_room(6));
  CHECK_FALSE(QuotaStanding{10, 4}.has_room(7));
  CHECK_FALSE(QuotaStanding{0, 0}.has_room(1));
  CHECK(QuotaStanding{}.has_room(INT64_MAX));
}

TEST_CASE("who is refused is told when all windows have room") {
  const QuotaStanding full{10, 10};
  const QuotaStanding free{10, 0};
  CHECK(quota_retry_after(full, free, 1, kNewYear) == kDay);
  CHECK(quota_retry_after(free, full, 1, kNewYear) == 31 * kDay);
  CHECK(quota_retry_after(full, full, 1, kNewYear) == 31 * kDay);
  CHECK(quota_retry_after(full, QuotaStanding{}, 1, kNewYear) == kDay);
  CHECK(quota_retry_after(free, free, 11, kNewYear) == 31 * kDay);
}

}  // namespace
}  // namespace aiserve::decide
