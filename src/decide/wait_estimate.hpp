// WaitEstimate: how long a new job of a tenant will wait, and whether it is let in. Pure.
//
// Under fair shares (job_quota.hpp) a tenant is sure of slots * weight / weights of those with
// work, and gets more as others run dry; so its queue is worked off in the shorter of two times:
// its own work at its own share, or after everybody's. If nothing else arrives it isn't later than
// that but for the length of single jobs. Work is measured in slot-time: a job's expected cost in
// nanoseconds.
//
//   const JobDoor door = judge({.queued = 40, .own_work = 8e9, .all_work = 9e9, .slots = 4},
//   rules); if (door.answer != DoorAnswer::open) return overloaded(door.retry_after);
#pragma once

#include <cstddef>
#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

struct WaitView {
  std::size_t queued = 0;   ///< jobs of this tenant that wait
  double own_work = 0;      ///< of those jobs, ns
  double all_work = 0;      ///< of all that wait, own_work included, ns
  double running_work = 0;  ///< what is left of all that run, ns; half of their cost if unknown
  std::size_t slots = 1;    ///< of all workers
  double weight = 1;        ///< > 0
  double all_weights = 1;   ///< of tenants with work, this one included; at least weight
  /// Of this tenant. If its share is just below, it may get a few percent less than estimated.
  std::size_t max_running = SIZE_MAX;
};

/// From now until a job that comes last starts; kNever if it never will: no slots, or paused.
Nanos estimate_wait(const WaitView& view) noexcept;

enum class DoorAnswer : std::uint8_t {
  open,
  full,      ///< the tenant's queue has no room for so many now
  too_many,  ///< it never will
  too_late,  ///< they would not start in time
};

struct JobDoor {
  DoorAnswer answer = DoorAnswer::open;
  Nanos retry_after = 0;  ///< full, too_late: if nothing else arrives, it is let in then
};

struct DoorRules {
  std::size_t max_queued = SIZE_MAX;  ///< per tenant
  std::size_t count = 1;              ///< jobs that come together
  double work = 0;                    ///< of all that come together but the last, ns
  Nanos start_within = kNever;        ///< of the last of them, from now
};

JobDoor judge(const WaitView& view, const DoorRules& rules) noexcept;

}  // namespace aiserve::inline v0::decide
