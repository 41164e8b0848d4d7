#include "jobs/memory_jobs.hpp"

#include <utility>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::detail {
namespace {

using decide::JobEvent;
using decide::JobEventKind;
using Core = decide::JobState;

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
  Row row{new_job_row(job, time.now), job.input.compact()};
  row.id = ++last_id_;
  if (job.unique) {
    uniques_[{job.tenant, job.kind, job.unique->key()}] = {row.id,
                                                           unique_until(*job.unique, time.now)};
  }
  line_up(row, job.order_concurrency);
  list_row(rows_.emplace(row.id, std::move(row)).first->second);
  return {JobId(last_id_), false};
}

void MemoryJobs::line_up(Row& row, std::optional<int> order_concurrency) {
  if (!row.order_key) return;
  Line& line = ordered_[order_of(row)];
  block(row,
        order_concurrency ? decide::join(line.now, *order_concurrency) : decide::rejoin(line.now));
  if (row.blocked != 0) line.waiting.insert(row.id);
}

std::optional<JobId> MemoryJobs::unique_hit(const NewJob& job, std::int64_t now) const {
  if (!job.unique) return std::nullopt;
  const auto found = uniques_.find({job.tenant, job.kind, job.unique->key()});
  if (found == uniques_.end() || found->second.expires_at <= now) return std::nullopt;
  return JobId(found->second.id);
}

void MemoryJobs::list_row(const Row& row) {
  Lane& lane = lanes_[row.kind][row.tenant];
  switch (row.core.state) {
    case Core::scheduled:
    case Core::retryable:
      ++lane.waiting;
      if (row.blocked == 0) due_.emplace(row.core.run_at, row.id);
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
      finished_.emplace(row.finished_at, row.id);
  }
}

void MemoryJobs::unlist_row(const Row& row) {
  Lane& lane = lanes_[row.kind][row.tenant];
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
      finished_.erase({row.finished_at, row.id});
  }
}

bool MemoryJobs::advance(Row& row, const JobEvent& event, const JobTime& time) {
  if (decide::step(row.core, event, row.rules, time.now).refusal != decide::Refusal::none) {
    return false;
  }
  unlist_row(row);
  advance_row(row, event, time.now);
  if (row.final()) close(row, time);
  list_row(row);
  return true;
}

void MemoryJobs::close(Row& row, const JobTime& time) {
  if (row.unique_key && row.unique_scope == JobUniqueScope::unfinished) {
    const auto found = uniques_.find({row.tenant, row.kind, *row.unique_key});
    if (found != uniques_.end() && found->second.id == row.id) uniques_.erase(found);
  }
  if (row.order_key) leave_line(row, time);
}

void MemoryJobs::leave_line(const Row& row, const JobTime& time) {
  const auto found = ordered_.find(order_of(row));
  Line& line = found->second;
  // What was blocked held up nobody: others still have their turn.
  if (row.was_blocked != 0) {
    line.waiting.erase(row.id);
    line.now.waits = !line.waiting.empty();
    return;
  }
  --line.now.in_turn;
  const auto first = [&]() -> Row& { return rows_.at(*line.waiting.begin()); };
  const std::int64_t room = line.waiting.empty() ? 0 : decide::room(line.now, first().blocked);
  for (std::int64_t i = 0; i < room && !line.waiting.empty(); ++i) {
    Row& next = first();
    if (!decide::has_turn(line.now, next.blocked)) break;
    line.waiting.erase(next.id);
    ++line.now.in_turn;
    next.blocked = 0;
    // Refused if its time has not come: then it is found when it has.
    if (!advance(next, {.kind = JobEventKind::due}, time)) due_.emplace(next.core.run_at, next.id);
  }
  line.now.waits = !line.waiting.empty();
  if (line.now.in_turn == 0) ordered_.erase(found);
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
    if (row.start_before && *row.start_before <= time.now) {
      advance(row, {.kind = JobEventKind::expire}, time);
      continue;
    }
    row.run_until = decide::saturating_add(
        time.steady, Duration(std::chrono::milliseconds(row.timeout_ms)).count());
    row.started_at = time.now;
    advance(row, {.kind = JobEventKind::claim, .fence = {.worker = worker.value()}}, time);
    JobRow copy = static_cast<const JobRow&>(row);
    claimed.push_back(claimed_job(copy, row.input));
  }
}

Settled MemoryJobs::settle(const Settlement& settlement, const JobTime& time) {
  Row* row = find(settlement.tenant, settlement.id);
  if (row == nullptr || row->core.state != Core::running) return Settled::stale;
  if (row->core.fence != fence_of(settlement)) return Settled::stale;
  const JobEvent event = settle_event(*row, settlement, time.now);
  advance(*row, event, time);
  if (row->core.state == Core::completed) row->result = settlement.result.compact();
  for (const NewJob& next : settlement.next) enqueue(next, time);
  return Settled::applied;
}

MemoryJobs::Row* MemoryJobs::find(const TenantId& tenant, JobId id) {
  return const_cast<Row*>(std::as_const(*this).find(tenant, id));
}

const MemoryJobs::Row* MemoryJobs::find(const TenantId& tenant, JobId id) const {
  const auto found = rows_.find(id.value());
  return found == rows_.end() || found->second.tenant != tenant ? nullptr : &found->second;
}

}  // namespace aiserve::inline v0::detail
