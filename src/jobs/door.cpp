#include "jobs/door.hpp"

#include "decide/wait_estimate.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr double kNanos = 1e9;  // the means of handlers are kept in seconds

}  // namespace

void JobDoor::update(const ClaimPlanner& planner, std::size_t running) {
  std::map<TenantId, Queue> queues;
  double all = 0;
  double weights = 0;
  for (const Backlog& row : planner.rows()) {
    if (row.ready <= 0) continue;
    const double work =
        static_cast<double>(row.ready) * planner.mean_run_seconds(row.kind) * kNanos;
    const auto [entry, first] = queues.try_emplace(row.tenant);
    if (first) {
      entry->second.weight = planner.weight_of(row.tenant);
      weights += entry->second.weight;
    }
    entry->second.jobs += static_cast<std::size_t>(row.ready);
    entry->second.work += work;
    all += work;
  }
  const std::scoped_lock lock(mutex_);
  queues_ = std::move(queues);
  all_work_ = all;
  all_weights_ = weights;
  mean_work_ = planner.mean_run_seconds({}) * kNanos;
  running_work_ = static_cast<double>(running) * mean_work_ / 2;
}

Result<void> JobDoor::judge(const TenantId& tenant, double weight, std::size_t count,
                            Duration start_within) const {
  if (slots_ == 0) return success();
  const std::scoped_lock lock(mutex_);
  const auto own = queues_.find(tenant);
  const bool known = own != queues_.end();
  const decide::WaitView view{.queued = known ? own->second.jobs : 0,
                              .own_work = known ? own->second.work : 0,
                              .all_work = all_work_,
                              .running_work = running_work_,
                              .slots = slots_,
                              .weight = weight,
                              .all_weights = all_weights_ + (known ? 0 : weight)};
  const decide::DoorRules rules{.count = count,
                                .work = static_cast<double>(count - 1) * mean_work_,
                                .start_within = start_within.count()};
  const decide::JobDoor answer = decide::judge(view, rules);
  if (answer.answer == decide::DoorAnswer::open) return success();
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(Duration(answer.retry_after));
  return Error(Errc::overloaded, "the job would start too late").retry_after(pause);
}

}  // namespace aiserve::inline v0::detail
