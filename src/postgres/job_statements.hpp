// The statements about jobs: what reads them, and what writes many rows at once. Which role a
// statement runs as is part of it: a prepared one that changes roles is planned anew each time.
#pragma once

#include "postgres/job_row.hpp"
#include "postgres/transaction.hpp"

namespace aiserve::inline v0::pg {

using JobRows = std::vector<JobRow>;

/// Statements that return jobs return these columns in front of others.
inline constexpr int kJobColumns = 26;
JobRow read_job(const Rows& rows, int row);
JobRows read_jobs(const Rows& rows);

// As the tenant:
/// $1 tenant, $2 id: a waiting or running job ...
extern const char* const kFindOpen;
/// ... and locked until the end of the transaction.
extern const char* const kLockOpen;
/// ... if it has its turn under its order key, or has none yet.
extern const char* const kLockUnblocked;
extern const char* const kLockBlocked;
/// $1 tenant, $2 id: a finished one, then finished_at and result.
extern const char* const kFindDone;
/// $1 tenant, $2 before this id, $3 limit: waiting and running jobs, latest first.
extern const char* const kListOpen;
/// $1 tenant, $2 before this id, $3 state, $4 limit: likewise.
extern const char* const kListOpenIn;
/// $1 tenant, $2 before this id, $3 state or -1, $4 limit: finished ones, then finished_at.
extern const char* const kListDone;
/// Likewise, but the discarded ones; $3 is ignored.
extern const char* const kListDead;
/// $1 tenant, $2 ids: id, input.
extern const char* const kInputs;
/// $1 tenant, $2 id: the input of a job, finished or not, as long as it is kept.
extern const char* const kFindInput;

// As the dispatcher:
/// $1 tenants, $2 ids: waiting and running jobs, locked, by id.
extern const char* const kLockJobs;
/// $1 tenants, $2 kinds, $3 how many, $4 not below this rank, $5 worker: claims what is ready; what
/// had to start earlier is returned as well, as it was. In no order. Nothing of a paused kind.
extern const char* const kClaim;
/// The kinds that operators paused, empty for all.
extern const char* const kPauses;
/// $1 tenants, $2 kinds, $3 not below these ranks: per queue, counted from 1, its number, run_at
/// and rank of the job that a claim would give first.
extern const char* const kOldest;
/// $1 limit: waiting jobs whose time has come, locked.
extern const char* const kDue;
/// $1 limit: running jobs whose worker's lease has ended, or their time, locked.
extern const char* const kLost;
/// $1 tenants, $2 kinds, $3 order keys, $4 ids that don't count: the key, how many jobs have their
/// turn under it, and what the first in line says, if there is one.
extern const char* const kLines;
/// Likewise: jobs that have their turn next, by their age.
extern const char* const kNextInLine;

/// The bytes of one statement are bounded: what belongs together may take several.
inline constexpr std::size_t kStatementBytes = std::size_t{32} << 20;

/// A new job and what is kept beside its row.
struct FreshJob {
  JobRow row;
  Bytes input;
  std::int64_t unique_until = 0;
};

/// As the tenant; the answer is a column of ids, in order.
std::size_t add_insert(Transaction& transaction, const TenantId& tenant,
                       std::span<const FreshJob> jobs);
/// As the tenant: jobs that are done, if the fence of their settlement holds. The answer, of those
/// that it did: id, kind, unique key, its scope, order key, attempt, worker.
std::size_t add_finish(Transaction& transaction, const TenantId& tenant,
                       std::span<const Settlement* const> settlements);
JobRow read_finished(const TenantId& tenant, const Rows& rows, int row);
/// As the tenant: moves jobs to the finished ones.
void add_close(Transaction& transaction, const TenantId& tenant, const JobRows& rows);
/// As the tenant: the unique keys that are held until a job is finished.
void add_drop_unique(Transaction& transaction, const TenantId& tenant, const JobRows& rows);
/// As the tenant: a finished job waits again.
std::size_t add_reopen(Transaction& transaction, const JobRow& row);
/// As the dispatcher: what changes of waiting and running jobs.
void add_update(Transaction& transaction, const JobRows& rows);

}  // namespace aiserve::inline v0::pg
