#include "decide/wait_estimate.hpp"

#include <algorithm>

namespace aiserve::inline v0::decide {
namespace {

Nanos nanos_of(double length) noexcept {
  return length < static_cast<double>(kNever) ? static_cast<Nanos>(length) : kNever;
}

/// Slots that the tenant is sure of, in the long run.
double share_of(const WaitView& view) noexcept {
  const double share = static_cast<double>(view.slots) * view.weight / view.all_weights;
  return std::min(share, static_cast<double>(view.max_running));
}

/// Slots that it can have at most.
double most_of(const WaitView& view) noexcept {
  return static_cast<double>(std::min(view.slots, view.max_running));
}

/// Until all of `own` is started. While it waits, the tenant has all that it may, or all slots
/// work.
double time_for(const WaitView& view, double own) noexcept {
  const double others = view.all_work - view.own_work;
  const double at_share = own / share_of(view);
  const double after_all = others / static_cast<double>(view.slots) + own / most_of(view);
  return std::min(at_share, after_all) + view.running_work / static_cast<double>(view.slots);
}

JobDoor full(const WaitView& view, const DoorRules& rules) noexcept {
  if (rules.count > rules.max_queued) return {.answer = DoorAnswer::too_many};
  const std::size_t surplus = view.queued - (rules.max_queued - rules.count);
  const double each = view.own_work / static_cast<double>(view.queued);
  const bool runs = view.slots > 0 && view.max_running > 0;
  const double length = runs ? time_for(view, each * static_cast<double>(surplus)) : 1e300;
  return {.answer = DoorAnswer::full, .retry_after = nanos_of(length)};
}

}  // namespace

Nanos estimate_wait(const WaitView& view) noexcept {
  if (view.slots == 0 || view.max_running == 0) return kNever;
  return nanos_of(time_for(view, view.own_work));
}

JobDoor judge(const WaitView& view, const DoorRules& rules) noexcept {
  if (rules.count > rules.max_queued || view.queued > rules.max_queued - rules.count) {
    return full(view, rules);
  }
  WaitView after = view;
  after.own_work += rules.work;
  after.all_work += rules.work;
  const Nanos wait = estimate_wait(after);
  if (rules.start_within == kNever || wait <= rules.start_within) return {};
  const Nanos over = wait == kNever ? kNever : wait - std::max<Nanos>(rules.start_within, 0);
  return {.answer = DoorAnswer::too_late, .retry_after = over};
}

}  // namespace aiserve::inline v0::decide
