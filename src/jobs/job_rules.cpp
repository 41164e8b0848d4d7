#include "jobs/job_rules.hpp"

#include "decide/nanos.hpp"

namespace aiserve::inline v0::detail {

decide::JobEventKind event_of(JobOutcomeKind outcome) noexcept {
  using decide::JobEventKind;
  switch (outcome) {
    case JobOutcomeKind::done:
      return JobEventKind::settle_done;
    case JobOutcomeKind::retry:
      return JobEventKind::settle_retry;
    case JobOutcomeKind::snooze:
      return JobEventKind::settle_snooze;
    case JobOutcomeKind::cancel:
      return JobEventKind::settle_cancel;
    case JobOutcomeKind::discard:
      return JobEventKind::settle_discard;
    case JobOutcomeKind::give_back:
      return JobEventKind::give_back;
  }
  return JobEventKind::give_back;
}

std::int64_t rank_of(std::int64_t since, int priority) noexcept {
  return decide::saturating_add(since, priority * Duration(NewJob::kAgeing).count());
}

}  // namespace aiserve::inline v0::detail
