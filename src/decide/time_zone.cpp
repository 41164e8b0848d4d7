#include "decide/time_zone.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace aiserve::inline v0::decide {
namespace {

// Years that std::chrono can count, with room at both ends.
constexpr std::int64_t kFarthest = std::int64_t{30'000} * 365 * 86'400;

int year_of(std::int64_t instant) noexcept {
  const std::chrono::sys_days day(
      std::chrono::days((instant - (instant < 0 ? 86'399 : 0)) / 86'400));
  return static_cast<int>(std::chrono::year_month_day(day).year());
}

/// Rules reach a week and a day beyond their year: with two years on either side at least one
/// change lies before any instant in `year`, and one after it.
std::array<TimeZone::Change, 10> changes_around(const PosixTz& rule, int year) noexcept {
  std::array<TimeZone::Change, 10> changes;
  auto next = changes.begin();
  for (int near = year - 2; near <= year + 2; ++near) {
    *next++ = {rule.summer->end.in(near)-rule.summer->offset, rule.offset};
    *next++ = {rule.summer->begin.in(near)-rule.offset, rule.summer->offset};
  }
  // Stable: where winter ends as it begins, summer lasts all year (RFC 8536 section 3.3.1).
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return changes;
}

bool is_before(std::int64_t instant, const TimeZone::Change& change) noexcept {
  return instant < change.at;
}

}  // namespace

TimeZone::Span TimeZone::at(std::int64_t instant) const noexcept {
  instant = std::clamp(instant, -kFarthest, kFarthest);
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), instant, is_before);
  const bool last = next == changes_.end();
  if (next == changes_.begin()) {
    if (last && rule_) return by_rule(instant, kBeginning);
    return {.end = last ? kEnd : next->at, .offset = first_offset_};
  }
  const Change& current = *(next - 1);
  if (last && rule_) return by_rule(instant, current.at);
  return {.begin = current.at, .end = last ? kEnd : next->at, .offset = current.offset};
}

TimeZone::Span TimeZone::by_rule(std::int64_t instant, std::int64_t from) const noexcept {
  if (!rule_->summer) return {.begin = from, .offset = rule_->offset};
  const auto changes = changes_around(*rule_, year_of(instant));
  const auto next = std::upper_bound(changes.begin(), changes.end(), instant, is_before);
  const auto current = next - 1;
  return {.begin = std::max(from, current->at), .end = next->at, .offset = current->offset};
}

}  // namespace aiserve::inline v0::decide
