// CronSchedule: the instants at which a cron expression runs in a time zone. Pure; wall time, in
// nanoseconds since 1970.
//
// When clocks change:
//   * Local times that are skipped run once, at the first instant after the gap, however many of
//   them
//     the expression names.
//   * Local times that are repeated run once, the first time.
//   * An expression that names every hour ("*/15 * * * *") is about time that passes: its skipped
//     times don't run, its repeated ones run both times.
//
//   const Nanos next = next_run(*cron.value, *zone.value, now);
#pragma once

#include <cstddef>
#include <vector>

#include "decide/cron_expression.hpp"
#include "decide/nanos.hpp"
#include "decide/time_zone.hpp"

namespace aiserve::inline v0::decide {

/// The first run after `after`; kNever if there is none within 50 years, or before kNever.
Nanos next_run(const CronExpression& cron, const TimeZone& zone, Nanos after) noexcept;

/// The last run after `after` that is not after `until`; kNever if there is none.
Nanos last_run(const CronExpression& cron, const TimeZone& zone, Nanos after, Nanos until) noexcept;

/// What to do about runs whose time passed while nobody was there.
enum class CatchUp : std::uint8_t {
  none,    ///< forget them
  latest,  ///< make up for the latest, if no run is due on time
  all,     ///< make up for all
};

struct CatchUpPolicy {
  CatchUp mode = CatchUp::latest;
  Nanos grace = 60'000'000'000;  ///< a run that is late by no more is on time, >= 0
  Nanos window =
      24 * 3600'000'000'000;   ///< what was missed longer ago is forgotten, at least grace
  std::size_t max_runs = 100;  ///< in one answer, at least 1; the rest comes in the next
};

struct DueRuns {
  std::vector<Nanos> runs;  ///< ascending
  Nanos decided_until = 0;  ///< `last` of the next call
  Nanos next = kNever;      ///< when to ask again; past if there was more than max_runs
};

/// The runs after `last` that are due. A clock that steps back makes nothing run twice. Whoever may
/// not be alone makes a run's instant part of the job's unique key.
DueRuns due_runs(const CronExpression& cron, const TimeZone& zone, const CatchUpPolicy& policy,
                 Nanos last, Nanos now);

}  // namespace aiserve::inline v0::decide
