// JobRun: a claimed job in this process, from the claim until its outcome is recorded. It belongs
// to the dispatcher's thread, but for the time in which its handler runs elsewhere.
#pragma once

#include <cstdint>

#include "aiserve/core/context.hpp"
#include "core/inbox.hpp"
#include "core/intrusive_ptr.hpp"
#include "jobs/kind_table.hpp"

namespace aiserve::inline v0::detail {

class JobDispatcher;

class JobRun final : public RefCounted, public InboxNode {
 public:
  JobRun(JobDispatcher& dispatcher, const JobKind& its_kind, ClaimedJob job, WorkerId by,
         Context context, TimePoint now);

  // What is done for it, in this order.
  enum class Stage : std::uint8_t { rate, input, handler, result };

  JobDispatcher& owner;
  const JobKind& kind;
  const ClaimedJob claimed;
  const WorkerId worker;
  const Context ctx;
  const TimePoint claimed_at;
  const decide::AttemptLimits limits;
  double charged = 0;
  std::size_t position = 0;  // among those held
  bool started = false;
  bool told_stuck = false;
  bool alone = false;  // to be settled in a call of its own
  TimePoint started_at{};
  TimePoint ended_at{};
  Stage stage = Stage::rate;
  bool early = false;   // by the rate of its order key
  Duration put_off{0};  // what its stage needs is not to be had now: given back for so long
  JobOutcome outcome;
  JobOutcomeKind verdict = JobOutcomeKind::give_back;  // what the store is told
  WallTime at{};
};
using JobRunPtr = IntrusivePtr<JobRun>;

}  // namespace aiserve::inline v0::detail
