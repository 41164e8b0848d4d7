#include "jobs/job_row.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "decide/nanos.hpp"
#include "jobs/job_rules.hpp"

namespace aiserve::inline v0::detail {
namespace {

using decide::JobEventKind;

constexpr std::size_t kLongestError = 4096;
constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();

std::int64_t ns(WallTime at) noexcept { return at.time_since_epoch().count(); }

WallTime wall(std::int64_t ns) noexcept { return WallTime(std::chrono::nanoseconds(ns)); }

}  // namespace

JobRow new_job_row(const NewJob& job, std::int64_t now) {
  JobRow row;
  row.tenant = job.tenant;
  row.kind = job.kind;
  row.core = decide::enqueued(std::max(ns(job.run_at), now), now);
  row.priority = job.priority;
  row.rank = rank_of(row.core.run_at, job.priority);
  row.rules = {.max_attempts = static_cast<std::uint32_t>(job.max_attempts),
               .max_crashes = static_cast<std::uint32_t>(job.max_crashes)};
  row.timeout_ms = job.timeout.count();
  row.created_at = now;
  if (job.start_before) row.start_before = ns(*job.start_before);
  if (job.unique) row.unique_key = job.unique->key();
  if (job.unique) row.unique_scope = job.unique->scope();
  if (!job.order_key.empty()) row.order_key = job.order_key;
  row.trace = job.trace;
  return row;
}

void block(JobRow& row, int blocked) {
  row.blocked = blocked;
  if (blocked != 0) row.core.state = decide::JobState::scheduled;
}

std::int64_t unique_until(const JobUnique& unique, std::int64_t now) noexcept {
  if (unique.scope() != JobUniqueScope::retained) return kLatest;
  const auto period =
      std::min<std::chrono::milliseconds>(unique.period(), std::chrono::hours(24 * 36'500));
  return decide::saturating_add(now, std::chrono::nanoseconds(period).count());
}

decide::Fence fence_of(const Settlement& settlement) noexcept {
  return {.attempt = static_cast<std::uint32_t>(settlement.attempt),
          .worker = settlement.worker.value()};
}

decide::JobEvent settle_event(JobRow& row, const Settlement& settlement, std::int64_t now) {
  if (!settlement.error.empty()) row.error = settlement.error.substr(0, kLongestError);
  return {.kind = event_of(settlement.outcome),
          .fence = fence_of(settlement),
          .at = std::max(ns(settlement.at), now)};
}

bool advance_row(JobRow& row, const decide::JobEvent& event, std::int64_t now) {
  const decide::JobStep next = decide::step(row.core, event, row.rules, now);
  if (next.refusal != decide::Refusal::none) return false;
  const bool waits_anew = next.job.run_at != row.core.run_at;
  row.core = next.job;
  // What was given back keeps its place.
  if (waits_anew && event.kind != JobEventKind::give_back) {
    row.rank = rank_of(row.core.run_at, row.priority);
  }
  if (!row.final()) return true;
  row.finished_at = now;
  row.was_blocked = std::exchange(row.blocked, 0);
  if (row.error.empty() && row.core.discard_reason != decide::DiscardReason::none) {
    row.error = to_string(row.core.discard_reason);
  }
  return true;
}

bool redrive_row(JobRow& row, std::int64_t now) {
  const decide::JobEvent event{.kind = JobEventKind::redrive, .at = now};
  const decide::JobStep next = decide::step(row.core, event, row.rules, now);
  if (next.refusal != decide::Refusal::none) return false;
  row.core = next.job;
  row.rank = now;
  row.start_before.reset();
  row.result.reset();
  row.unique_key.reset();
  return true;
}

ClaimedJob claimed_job(JobRow& row, Bytes input) {
  ClaimedJob job;
  job.id = JobId(row.id);
  job.tenant = std::move(row.tenant);
  job.kind = std::move(row.kind);
  job.input = std::move(input);
  job.attempt = static_cast<int>(row.core.fence.attempt);
  job.max_attempts = static_cast<int>(row.rules.max_attempts);
  job.used_attempts = static_cast<int>(row.core.used_attempts());
  job.timeout = std::chrono::milliseconds(row.timeout_ms);
  job.created_at = wall(row.created_at);
  job.ready_at = wall(row.core.run_at);
  job.unique_key = row.unique_key.value_or("");
  job.order_key = row.order_key.value_or("");
  job.trace = std::move(row.trace);
  return job;
}

JobInfo to_info(JobRow row) {
  JobInfo info;
  info.id = JobId(row.id);
  info.tenant = std::move(row.tenant);
  info.kind = std::move(row.kind);
  info.state = static_cast<JobState>(row.core.state);
  info.priority = row.priority;
  info.attempt = static_cast<int>(row.core.fence.attempt);
  info.max_attempts = static_cast<int>(row.rules.max_attempts);
  info.crashes = static_cast<int>(row.core.crashes);
  info.cancel_requested = row.core.cancel_requested;
  info.created_at = wall(row.created_at);
  info.run_at = wall(row.core.run_at);
  if (row.started_at) info.started_at = wall(*row.started_at);
  if (row.final()) info.finished_at = wall(row.finished_at);
  info.error = std::move(row.error);
  info.result = std::move(row.result);
  return info;
}

}  // namespace aiserve::inline v0::detail
