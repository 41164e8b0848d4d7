#include "decide/cron_schedule.hpp"

#include <algorithm>
#include <optional>

namespace aiserve::inline v0::decide {
namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400;
// 29 February on a given weekday comes at least every 40 years.
constexpr std::int64_t kHorizon = 50 * 366 * kDay;

std::int64_t floor_seconds(Nanos time) noexcept {
  return time / kSecond - (time % kSecond < 0 ? 1 : 0);
}

Nanos nanos_of(std::int64_t seconds) noexcept {
  Nanos nanos = 0;
  if (!__builtin_mul_overflow(seconds, kSecond, &nanos)) return nanos;
  return seconds < 0 ? INT64_MIN : kNever;
}

/// The end of the local times that passed before the span began. No clock was ever set back by more
/// than a day and an hour.
std::int64_t passed_before(const TimeZone& zone, std::int64_t begin) noexcept {
  std::int64_t passed = TimeZone::kBeginning;
  for (std::int64_t at = begin; at > begin - 2 * kDay;) {
    const TimeZone::Span earlier = zone.at(at - 1);
    passed = std::max(passed, at + earlier.offset);
    at = earlier.begin;
  }
  return passed;
}

/// The first run in the span at or after `from`.
std::optional<std::int64_t> run_in(const CronExpression& cron, const TimeZone& zone,
                                   const TimeZone::Span& span, std::int64_t from) noexcept {
  std::int64_t local = from + span.offset;
  if (!cron.every_hour() && from - span.begin < 2 * kDay) {
    const std::int64_t passed = passed_before(zone, span.begin);
    const bool skipped = from == span.begin && cron.first_in(passed, local);
    if (skipped) return from;
    local = std::max(local, passed);
  }
  const auto found = cron.first_in(local, span.end + span.offset);
  return found ? std::optional(*found - span.offset) : std::nullopt;
}

void collect(const CronExpression& cron, const TimeZone& zone, Nanos after, Nanos until,
             std::size_t most, std::vector<Nanos>& runs) {
  while (runs.size() < most) {
    const Nanos next = next_run(cron, zone, after);
    if (next > until || next == kNever) return;
    runs.push_back(next);
    after = next;
  }
}

}  // namespace

Nanos next_run(const CronExpression& cron, const TimeZone& zone, Nanos after) noexcept {
  const std::int64_t first = floor_seconds(after) + 1;
  for (std::int64_t from = first; from < first + kHorizon;) {
    TimeZone::Span span = zone.at(from);
    span.end = std::min(span.end, first + kHorizon);
    const std::optional<std::int64_t> run = run_in(cron, zone, span, from);
    if (run) return nanos_of(*run);
    from = span.end;
  }
  return kNever;
}

// The least second after which nothing runs until `until` is that of the last run.
Nanos last_run(const CronExpression& cron, const TimeZone& zone, Nanos after,
               Nanos until) noexcept {
  const auto runs_after = [&](std::int64_t second) {
    const Nanos next = next_run(cron, zone, nanos_of(second));
    return next <= until && next != kNever;
  };
  std::int64_t low = floor_seconds(after);
  std::int64_t high = floor_seconds(until);
  if (high <= low || !runs_after(low)) return kNever;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (runs_after(middle) ? low : high) = middle;
  }
  return nanos_of(high);
}

DueRuns due_runs(const CronExpression& cron, const TimeZone& zone, const CatchUpPolicy& policy,
                 Nanos last, Nanos now) {
  const auto back = [now](Nanos by) { return saturating_add(saturating_add(now, -by), -1); };
  const bool all = policy.mode == CatchUp::all;
  const std::size_t most = std::max<std::size_t>(policy.max_runs, 1);
  DueRuns due;
  const Nanos from = std::max(last, back(all ? policy.window : policy.grace));
  collect(cron, zone, from, now, most, due.runs);
  due.decided_until = due.runs.size() == most ? due.runs.back() : std::max(last, now);
  if (policy.mode == CatchUp::latest && due.runs.empty() && from > last) {
    const Nanos missed = last_run(cron, zone, std::max(last, back(policy.window)), from);
    if (missed != kNever) due.runs.push_back(missed);
  }
  due.next = next_run(cron, zone, due.decided_until);
  return due;
}

}  // namespace aiserve::inline v0::decide
