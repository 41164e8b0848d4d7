// JobRow: what a store keeps of a job, and how it changes: decide::step() says what follows, here
// it is put into the row. Pure; writing rows down is the adapters' part.
#pragma once

#include "aiserve/jobs/job_store.hpp"
#include "decide/job_state.hpp"

namespace aiserve::inline v0::detail {

/// Times are nanoseconds of the wall clock, except `run_until`.
struct JobRow {
  std::int64_t id = 0;
  TenantId tenant;
  std::string kind;
  decide::JobCore core;
  int blocked = 0;             ///< 0: may run; else waits for its turn, see decide/order_line.hpp
  std::int64_t run_until = 0;  ///< when the attempt is taken away, by the clock of the leases
  std::int64_t rank = 0;       ///< orders what is ready: since when it waits, and its priority
  int priority = 0;
  decide::JobRules rules;
  std::int64_t timeout_ms = 0;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> started_at;
  std::optional<std::int64_t> start_before;
  std::optional<std::string> unique_key;
  JobUniqueScope unique_scope = JobUniqueScope::unfinished;
  std::optional<std::string> order_key;
  std::string trace;
  std::string error;
  // Of finished ones:
  int was_blocked = 0;
  std::int64_t finished_at = 0;
  std::optional<Bytes> result;

  bool final() const noexcept { return decide::is_final(core.state); }
};

JobRow new_job_row(const NewJob& job, std::int64_t now);
/// Has it wait for its turn, unless `blocked` is 0.
void block(JobRow& row, int blocked);
/// Until when a job's unique key is kept.
std::int64_t unique_until(const JobUnique& unique, std::int64_t now) noexcept;
decide::Fence fence_of(const Settlement& settlement) noexcept;
/// What a settlement says. Puts its error into the row.
decide::JobEvent settle_event(JobRow& row, const Settlement& settlement, std::int64_t now);
/// Applies an event. False: refused, nothing changed.
bool advance_row(JobRow& row, const decide::JobEvent& event, std::int64_t now);
/// A finished job as a waiting one, if operators may have that. False: they may not.
bool redrive_row(JobRow& row, std::int64_t now);

/// Leaves the row without its input.
ClaimedJob claimed_job(JobRow& row, Bytes input);
JobInfo to_info(JobRow row);

}  // namespace aiserve::inline v0::detail
