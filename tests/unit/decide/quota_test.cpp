#include "decide/quota.hpp"

#include <doctest/doctest.h>

namespace aiserve::decide {
namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kDay = 86'400 * kSecond;
constexpr Nanos kNewYear = 20'454 * kDay;  // 2026-01-01

TEST_CASE("a day's quota is back at midnight, a month's on the first") {
  const QuotaLimits limits{.per_day = 2, .per_month = 3};
  QuotaCounts counts;
  CHECK(quota_take(counts, limits, 1, kNewYear).day.remaining == 1);
  const auto second = quota_take(counts, limits, 1, kNewYear + kDay - 1);
  CHECK(second.allowed);
  CHECK(second.day.reset_after == 1);
  CHECK(second.day.window == kDay);
  const auto third = quota_take(counts, limits, 1, kNewYear + kDay - 1);
  CHECK_FALSE(third.allowed);
  CHECK(third.retry_after == 1);
  CHECK(third.month.remaining == 1);
  const auto next_day = quota_take(counts, limits, 1, kNewYear + kDay);
  CHECK(next_day.allowed);
  CHECK(next_day.day.remaining == 1);
  const auto over = quota_take(counts, limits, 1, kNewYear + kDay);
  CHECK_FALSE(over.allowed);
  CHECK(over.retry_after == 30 * kDay);
  CHECK(over.month.window == 31 * kDay);
  const auto february = quota_take(counts, limits, 1, kNewYear + 31 * kDay);
  CHECK(february.allowed);
  CHECK(february.month.window == 28 * kDay);
  CHECK(february.month.remaining == 2);
}

TEST_CASE("a refused request is counted nowhere") {
  const QuotaLimits limits{.per_day = 100, .per_month = 5};
  QuotaCounts counts;
  REQUIRE(quota_take(counts, limits, 5, kNewYear).allowed);
  const QuotaCounts before = counts;
  CHECK_FALSE(quota_take(counts, limits, 1, kNewYear).allowed);
  CHECK(counts == before);
}

TEST_CASE("many are taken at once, or none of them") {
  const QuotaLimits limits{.per_day = 10, .per_month = kNoQuota};
  QuotaCounts counts;
  CHECK_FALSE(quota_take(counts, limits, 11, kNewYear).allowed);
  CHECK(quota_take(counts, limits, 10, kNewYear).allowed);
  CHECK_FALSE(quota_take(counts, limits, 1, kNewYear).allowed);
}

TEST_CASE("leap days, year ends and the years before 1970 are windows like all others") {
  const QuotaLimits limits{.per_day = 1, .per_month = 1};
  QuotaCounts counts;
  const Nanos leap = 19'782 * kDay;  // 2024-02-29
  CHECK(quota_take(counts, limits, 1, leap).month.window == 29 * kDay);
  const Nanos new_years_eve = kNewYear - 1;
  CHECK(quota_take(counts, limits, 1, new_years_eve).allowed);
  CHECK(quota_take(counts, limits, 1, kNewYear).allowed);
  QuotaCounts old{{-100'000, 0}, {-100'000, 0}};
  const auto before = quota_take(old, limits, 1, -1);  // the last moment of 1969
  CHECK(before.allowed);
  CHECK(before.day.reset_after == 1);
  CHECK(old.day.window == -1);
  CHECK(old.month.window == -1);
}

TEST_CASE("a clock that jumps back gives nothing back") {
  const QuotaLimits limits{.per_day = 1, .per_month = kNoQuota};
  QuotaCounts counts;
  CHECK(quota_take(counts, limits, 1, kNewYear + kDay).allowed);
  CHECK_FALSE(quota_take(counts, limits, 1, kNewYear).allowed);
  CHECK_FALSE(quota_take(counts, limits, 1, kNewYear + kDay).allowed);
  CHECK(quota_take(counts, limits, 1, kNewYear + 2 * kDay).allowed);
}

TEST_CASE("a limit that was lowered below what is used refuses, and counts never overflow") {
  QuotaCounts counts;
  REQUIRE(quota_take(counts, {.per_day = 10, .per_month = kNoQuota}, 10, kNewYear).allowed);
  const auto lowered = quota_take(counts, {.per_day = 5, .per_month = kNoQuota}, 1, kNewYear);
  CHECK_FALSE(lowered.allowed);
  CHECK(lowered.day.remaining == 0);
  CHECK_FALSE(quota_take(counts, {.per_day = 0, .per_month = 0}, 1, kNewYear).allowed);
  const QuotaLimits none;
  CHECK(quota_take(counts, none, INT64_MAX, kNewYear).allowed);
  CHECK(quota_take(counts, none, INT64_MAX, kNewYear).allowed);
  CHECK(counts.day.used == INT64_MAX);
}

}  // namespace
}  // namespace aiserve::decide
