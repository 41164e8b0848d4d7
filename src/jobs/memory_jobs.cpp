#include "jobs/memory_jobs.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "decide/nanos.hpp"
#include "jobs/job_rules.hpp"

namespace aiserve::inline v0::detail {
namespace {

using decide::JobEvent;
using decide::JobEventKind;
using Core = decide::JobState;

constexpr std::size_t kLongestError = 4096;
constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

std::int64_t ns(WallTime at) noexcept { return at.time_since_epoch().count(); }
std::int64_t ns(std::chrono::milliseconds length) noexcept {
  constexpr std::int64_t kMost = kForEver / 1'000'000;
  return std::clamp<std::int64_t>(length.count(), -kMost, kMost) * 1'000'000;
}
WallTime wall(std::int64_t at) noexcept { return WallTime(Duration(at)); }

}  // namespace

Result<void> MemoryJobs::admit(std::span<const NewJob> jobs, std::size_t max_jobs,
                               const JobTime& time) {
  if (rows_.size() + jobs.size() > max_jobs) {
    return Error(Errc::overloaded, "the store is full").retry_after(std::chrono::seconds(1));
  }
  std::map<std::pair<std::string_view, std::string_view>, std::int64_t> waiting;
  for (const NewJob& job : jobs) {
    if (job.max_waiting == 0 || unique_hit(job, time.now)) continue;
    const auto [entry, first] = waiting.try_emplace({job.kind, job.tenant.view()}, 0);
    if (first) {
      const Lane& lane = lanes_[job.kind][job.tenant];
      entry->second = lane.waiting + static_cast<std::int64_t>(lane.ready.size());
    }
    if (++entry->second > job.max_waiting) {
      return Error(Errc::overloaded, "too many jobs of this kind wait")
          .retry_after(std::chrono::seconds(1));
    }
  }
  return success();
}

Enqueued MemoryJobs::enqueue(const NewJob& job, const JobTime& time) {
  if (const auto hit = unique_hit(job, time.now)) return {*hit, true};
  Row row(job);
  row.job.input = job.input.compact();
  row.id = ++last_id_;
  row.created_at = time.now;
  row.core = decide::enqueued(std::max(ns(job.run_at), time.now), time.now);
  row.rank = rank_of(row.core.run_at, job.priority);
  if (!job.order_key.empty()) {
    std::set<std::int64_t>& line = ordered_[order_of(job)];
    row.blocked = !line.empty();
    if (row.blocked) row.core.state = Core::scheduled;
    line.insert(row.id);
  }
  if (job.unique) {
    const bool retained = job.unique->scope() == JobUniqueScope::retained;
    const std::int64_t expires =
        retained ? decide::saturating_add(time.now, ns(job.unique->period())) : kForEver;
    uniques_[{job.tenant, job.kind, job.unique->key()}] = {row.id, expires};
  }
  list_row(rows_.emplace(row.id, std::move(row)).first->second);
  return {JobId(last_id_), false};
}

std::optional<JobId> MemoryJobs::unique_hit(const NewJob& job, std::int64_t now) const {
  if (!job.unique) return std::nullopt;
  const auto found = uniques_.find({job.tenant, job.kind, job.unique->key()});
  if (found == uniques_.end() || found->second.expires_at <= now) return std::nullopt;
  return JobId(found->second.id);
}

void MemoryJobs::list_row(const Row& row) {
  Lane& lane = lanes_[row.job.kind][row.job.tenant];
  switch (row.core.state) {
    case Core::scheduled:
    case Core::retryable:
      ++lane.waiting;
      if (!row.blocked) due_.emplace(row.core.run_at, row.id);
      return;
    case Core::available:
      lane.ready.emplace(row.rank, row.id);
      made_ready_ = true;
      return;
    case Core::running:
      ++lane.running;
      running_.insert(row.id);
      return;
    default:
      finished_.emplace(row.finished_at.value_or(0), row.id);
  }
}

void MemoryJobs::unlist_row(const Row& row) {
  Lane& lane = lanes_[row.job.kind][row.job.tenant];
  switch (row.core.state) {
    case Core::scheduled:
    case Core::retryable:
      --lane.waiting;
      due_.erase({row.core.run_at, row.id});
      return;
    case Core::available:
      lane.ready.erase({row.rank, row.id});
      return;
    case Core::running:
      --lane.running;
      running_.erase(row.id);
      return;
    default:
      finished_.erase({row.finished_at.value_or(0), row.id});
  }
}

bool MemoryJobs::advance(Row& row, const JobEvent& event, const JobTime& time) {
  const decide::JobRules rules{.max_attempts = static_cast<std::uint32_t>(row.job.max_attempts),
                               .max_crashes = static_cast<std::uint32_t>(row.job.max_crashes)};
  const decide::JobStep next = decide::step(row.core, event, rules, time.now);
  if (next.refusal != decide::Refusal::none) return false;
  unlist_row(row);
  const bool waits_anew = next.job.run_at != row.core.run_at;
  row.core = next.job;
  // What was given back keeps its place.
  if (waits_anew && event.kind != JobEventKind::give_back) {
    row.rank = rank_of(row.core.run_at, row.job.priority);
  }
  if (decide::is_final(row.core.state)) close(row, time);
  list_row(row);
  return true;
}

void MemoryJobs::close(Row& row, const JobTime& time) {
  row.finished_at = time.now;
  const bool was_blocked = std::exchange(row.blocked, false);
  if (row.core.state != Core::completed) row.result = {};
  if (row.error.empty() && row.core.discard_reason != decide::DiscardReason::none) {
    row.error = to_string(row.core.discard_reason);
  }
  if (row.job.unique && row.job.unique->scope() == JobUniqueScope::unfinished) {
    const auto found = uniques_.find({row.job.tenant, row.job.kind, row.job.unique->key()});
    if (found != uniques_.end() && found->second.id == row.id) uniques_.erase(found);
  }
  if (row.job.order_key.empty()) return;
  const KeyName key = order_of(row.job);
  ordered_[key].erase(row.id);
  // What was blocked held up nobody: another one still has the key.
  if (!was_blocked) unblock_next(key, time);
}

void MemoryJobs::unblock_next(const KeyName& key, const JobTime& time) {
  const auto line = ordered_.find(key);
  if (line->second.empty()) {
    ordered_.erase(line);
    return;
  }
  Row& next = rows_.at(*line->second.begin());
  if (!next.blocked) return;
  next.blocked = false;
  // Refused if its time has not come: then it is found when it has.
  if (!advance(next, {.kind = JobEventKind::due}, time)) due_.emplace(next.core.run_at, next.id);
}

int MemoryJobs::promote(const JobTime& time, int limit) {
  int promoted = 0;
  while (promoted < limit && !due_.empty() && due_.begin()->first <= time.now) {
    advance(rows_.at(due_.begin()->second), {.kind = JobEventKind::due}, time);
    ++promoted;
  }
  return promoted;
}

std::vector<Backlog> MemoryJobs::backlog(std::string_view kind) const {
  std::vector<Backlog> all;
  const auto found = lanes_.find(kind);
  if (found == lanes_.end()) return all;
  for (const auto& [tenant, lane] : found->second) {
    if (lane.ready.empty() && lane.running == 0) continue;
    Backlog& row = all.emplace_back();
    row = {tenant, std::string(kind), static_cast<std::int64_t>(lane.ready.size()), lane.running};
    row.paused = paused(kind);
    if (lane.ready.empty()) continue;
    const auto& [rank, id] = *lane.ready.begin();
    row.oldest = wall(rows_.at(id).core.run_at);
    row.turn = wall(rank);
  }
  return all;
}

bool MemoryJobs::has_lease(WorkerId worker, const JobTime& time) const {
  const auto found = workers_.find(worker);
  return found != workers_.end() && time.steady < found->second;
}

void MemoryJobs::claim(WorkerId worker, const ClaimQuota& quota, const JobTime& time,
                       std::vector<ClaimedJob>& claimed) {
  if (paused(quota.kind)) return;
  Lane& lane = lanes_[quota.kind][quota.tenant];
  for (int i = 0; i < quota.n && !lane.ready.empty(); ++i) {
    Row& row = rows_.at(lane.ready.begin()->second);
    if (row.job.start_before && ns(*row.job.start_before) <= time.now) {
      advance(row, {.kind = JobEventKind::expire}, time);
      continue;
    }
    row.run_until = decide::saturating_add(time.steady, ns(row.job.timeout));
    row.started_at = time.now;
    advance(row, {.kind = JobEventKind::claim, .fence = {.worker = worker.value()}}, time);
    claimed.push_back(to_claimed(row));
  }
}

Settled MemoryJobs::settle(const Settlement& settlement, const JobTime& time) {
  Row* row = find(settlement.tenant, settlement.id);
  if (row == nullptr) return Settled::stale;
  const JobEvent event{.kind = event_of(settlement.outcome),
                       .fence = {.attempt = static_cast<std::uint32_t>(settlement.attempt),
                                 .worker = settlement.worker.value()},
                       .at = std::max(ns(settlement.at), time.now)};
  if (row->core.state != Core::running || row->core.fence != event.fence) return Settled::stale;
  if (!settlement.error.empty()) row->error = settlement.error.substr(0, kLongestError);
  row->result = settlement.result.compact();
  advance(*row, event, time);
  for (const NewJob& next : settlement.next) enqueue(next, time);
  return Settled::applied;
}

MemoryJobs::Row* MemoryJobs::find(const TenantId& tenant, JobId id) {
  return const_cast<Row*>(std::as_const(*this).find(tenant, id));
}

const MemoryJobs::Row* MemoryJobs::find(const TenantId& tenant, JobId id) const {
  const auto found = rows_.find(id.value());
  return found == rows_.end() || found->second.job.tenant != tenant ? nullptr : &found->second;
}

ClaimedJob MemoryJobs::to_claimed(const Row& row) {
  ClaimedJob claimed;
  claimed.id = JobId(row.id);
  claimed.tenant = row.job.tenant;
  claimed.kind = row.job.kind;
  claimed.input = row.job.input;
  claimed.attempt = static_cast<int>(row.core.fence.attempt);
  claimed.max_attempts = row.job.max_attempts;
  claimed.used_attempts = static_cast<int>(row.core.used_attempts());
  claimed.timeout = row.job.timeout;
  claimed.created_at = wall(row.created_at);
  claimed.ready_at = wall(row.core.run_at);
  if (row.job.unique) claimed.unique_key = row.job.unique->key();
  claimed.trace = row.job.trace;
  return claimed;
}

}  // namespace aiserve::inline v0::detail
