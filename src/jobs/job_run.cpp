#include "jobs/job_run.hpp"

#include "jobs/job_dispatcher.hpp"

namespace aiserve::inline v0::detail {
namespace {

void come_home(InboxNode* node) noexcept {
  JobRunPtr run = JobRunPtr::adopt(static_cast<JobRun*>(node));
  JobDispatcher& owner = run->owner;
  owner.finished(std::move(run));
}

}  // namespace

JobRun::JobRun(JobDispatcher& dispatcher, const JobKind& its_kind, ClaimedJob job, WorkerId by,
               Context context, TimePoint now)
    : InboxNode(&come_home),
      owner(dispatcher),
      kind(its_kind),
      claimed(std::move(job)),
      worker(by),
      ctx(std::move(context)),
      claimed_at(now),
      limits(its_kind.limits(claimed.timeout)) {}

}  // namespace aiserve::inline v0::detail
