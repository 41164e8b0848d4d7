// The part of MemoryJobs that workers' leases, operators and the passing of time call for.
#include <algorithm>

#include "decide/nanos.hpp"
#include "jobs/memory_jobs.hpp"

namespace aiserve::inline v0::detail {
namespace {

using decide::JobEventKind;
using Core = decide::JobState;

constexpr std::int64_t kForgottenAfter = std::int64_t{86'400} * 1'000'000'000;

WallTime wall(std::int64_t at) noexcept { return WallTime(Duration(at)); }

}  // namespace

HeartbeatReply MemoryJobs::heartbeat(WorkerId worker, std::chrono::milliseconds lease,
                                     const JobTime& time) {
  HeartbeatReply reply;
  const auto known = workers_.find(worker);
  // An incarnation that was given up does not come back.
  reply.lost = known != workers_.end() && time.steady >= known->second;
  if (reply.lost) return reply;
  workers_[worker] = decide::saturating_add(time.steady, Duration(lease).count());
  for (const std::int64_t id : running_) {
    const Row& row = rows_.at(id);
    if (row.core.fence.worker != worker.value()) continue;
    const JobRef job{row.tenant, JobId(id)};
    reply.running.push_back({job, static_cast<int>(row.core.fence.attempt)});
    if (row.core.cancel_requested) reply.to_cancel.push_back(job);
  }
  return reply;
}

MaintenanceReport MemoryJobs::maintain(int limit, std::int64_t kept, const JobTime& time) {
  MaintenanceReport report;
  report.promoted = promote(time, limit);
  rescue(limit, time, report);
  prune(limit, kept, time, report);
  if (!due_.empty()) report.next_due = wall(due_.begin()->first);
  return report;
}

void MemoryJobs::rescue(int limit, const JobTime& time, MaintenanceReport& report) {
  std::vector<std::int64_t> lost;
  for (const std::int64_t id : running_) {
    if (lost.size() >= static_cast<std::size_t>(limit)) break;
    const Row& row = rows_.at(id);
    if (row.run_until <= time.steady || !has_lease(WorkerId(row.core.fence.worker), time)) {
      lost.push_back(id);
    }
  }
  for (const std::int64_t id : lost) {
    Row& row = rows_.at(id);
    row.error = "its worker died or it took too long";
    advance(row, {.kind = JobEventKind::lease_lost, .fence = row.core.fence, .at = time.now}, time);
    ++report.rescued;
    report.discarded += row.core.state == Core::discarded ? 1 : 0;
  }
}

void MemoryJobs::prune(int limit, std::int64_t kept, const JobTime& time,
                       MaintenanceReport& report) {
  report.pruned = prune_finished(limit, time.now - kept);
  std::erase_if(uniques_, [&](const auto& entry) { return entry.second.expires_at <= time.now; });
  std::erase_if(workers_,
                [&](const auto& entry) { return entry.second < time.steady - kForgottenAfter; });
  for (auto& [kind, tenants] : lanes_) {
    std::erase_if(tenants, [](const auto& entry) {
      const Lane& lane = entry.second;
      return lane.ready.empty() && lane.waiting == 0 && lane.running == 0;
    });
  }
}

int MemoryJobs::prune_finished(int limit, std::int64_t before) {
  int pruned = 0;
  while (pruned < limit && !finished_.empty() && finished_.begin()->first < before) {
    rows_.erase(finished_.begin()->second);
    finished_.erase(finished_.begin());
    ++pruned;
  }
  return pruned;
}

JobStoreStats MemoryJobs::stats(const JobTime& time) const {
  JobStoreStats stats;
  for (const auto& [kind, tenants] : lanes_) {
    JobKindStats row{.kind = kind, .paused = paused_.contains(kind)};
    for (const auto& [tenant, lane] : tenants) {
      row.waiting += lane.waiting;
      row.ready += static_cast<std::int64_t>(lane.ready.size());
      row.running += lane.running;
      if (lane.ready.empty()) continue;
      const WallTime since = wall(rows_.at(lane.ready.begin()->second).core.run_at);
      row.oldest = std::min(row.oldest.value_or(since), since);
    }
    if (row.waiting + row.ready + row.running > 0 || row.paused) stats.kinds.push_back(row);
  }
  for (const std::string& kind : paused_) {
    if (!kind.empty() && !lanes_.contains(kind)) {
      stats.kinds.push_back({.kind = kind, .paused = true});
    }
  }
  std::sort(stats.kinds.begin(), stats.kinds.end(),
            [](const auto& a, const auto& b) { return a.kind < b.kind; });
  stats.paused = paused_.contains("");
  for (const auto& [at, id] : finished_) {
    ++stats.finished;
    stats.dead += rows_.at(id).core.state == Core::discarded ? 1 : 0;
  }
  for (const auto& [worker, until] : workers_) stats.workers += time.steady < until ? 1 : 0;
  return stats;
}

void MemoryJobs::resume(std::string_view kind) {
  if (kind.empty()) return paused_.clear();
  if (const auto found = paused_.find(kind); found != paused_.end()) paused_.erase(found);
}

Result<JobInfo> MemoryJobs::get(const TenantId& tenant, JobId id) const {
  const Row* row = find(tenant, id);
  if (row == nullptr) return Error(Errc::not_found, "no such job");
  return to_info(static_cast<const JobRow&>(*row));
}

Result<Bytes> MemoryJobs::input(const TenantId& tenant, JobId id) const {
  const Row* row = find(tenant, id);
  if (row == nullptr) return Error(Errc::not_found, "no such job");
  return row->input;
}

std::vector<JobInfo> MemoryJobs::list(const TenantId& tenant, const JobPage& page) const {
  std::vector<JobInfo> jobs;
  auto row = page.before ? rows_.lower_bound(page.before->value()) : rows_.end();
  while (row != rows_.begin() && jobs.size() < static_cast<std::size_t>(page.limit)) {
    --row;
    if (row->second.tenant != tenant) continue;
    if (page.state && static_cast<JobState>(row->second.core.state) != *page.state) continue;
    jobs.push_back(summary(row->second));
  }
  return jobs;
}

std::vector<bool> MemoryJobs::refers(const TenantId& tenant,
                                     std::span<const Bytes> references) const {
  std::set<std::string_view> referred;
  for (const auto& [id, row] : rows_) {
    if (row.tenant != tenant) continue;
    for (const std::string_view payload :
         {row.input.text(), row.result ? row.result->text() : std::string_view()}) {
      if (payload.starts_with(JobReader::kReferenceMark)) referred.insert(payload);
    }
  }
  std::vector<bool> answers;
  answers.reserve(references.size());
  for (const Bytes& one : references) answers.push_back(referred.contains(one.text()));
  return answers;
}

Result<JobInfo> MemoryJobs::control(const TenantId& tenant, JobId id, JobAction action,
                                    const JobTime& time) {
  Row* row = find(tenant, id);
  if (row == nullptr) return Error(Errc::not_found, "no such job");
  if (action == JobAction::redrive) return redrive(*row, time);
  if (!advance(*row, {.kind = JobEventKind::cancel_requested}, time)) {
    return Error(Errc::conflict, "the job is finished");
  }
  return summary(*row);
}

Result<JobInfo> MemoryJobs::redrive(Row& row, const JobTime& time) {
  JobRow again = static_cast<const JobRow&>(row);
  if (!redrive_row(again, time.now)) {
    return Error(Errc::conflict, "only cancelled and discarded jobs can be redriven");
  }
  unlist_row(row);
  static_cast<JobRow&>(row) = std::move(again);
  line_up(row, std::nullopt);
  list_row(row);
  return summary(row);
}

// Results are read one by one.
JobInfo MemoryJobs::summary(const JobRow& row) {
  JobInfo info = to_info(row);
  info.result.reset();
  return info;
}

}  // namespace aiserve::inline v0::detail
