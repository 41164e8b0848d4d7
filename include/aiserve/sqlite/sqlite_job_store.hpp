/// SqliteJobStore: JobStore, JobReader, JobOperator and Outbox in a SqliteDatabase.
///
/// Group commit makes one transaction of whatever waits: settlements, new jobs, claims. Waiting and
/// running jobs lie in a narrow table; inputs, and finished jobs with their results, apart.
/// Finished jobs are deleted after `retention`. Leases are kept in (boot id, time since boot):
/// setting the wall clock neither ends nor extends them, and a reboot ends them all. Delays follow
/// the wall clock. *Thread safety:* any I/O thread of the Runtime. *Errors:* those of the ports and
/// of SqliteDatabase; the constructors throw ConfigError.
///
///     SqliteJobStore store(runtime, {.path = "classifier.db"});
///     SqliteJobStore other(database);  // shares a file with other stores
#pragma once

#include <aiserve/jobs/job_operator.hpp>
#include <aiserve/jobs/job_reader.hpp>
#include <aiserve/jobs/job_store.hpp>
#include <aiserve/jobs/outbox.hpp>
#include <aiserve/sqlite/sqlite_database.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

struct sqlite3;

namespace aiserve::inline v0 {

struct SqliteJobStoreOptions {
  /// Largest input in bytes, 1 to 1 GB.
  std::size_t max_input = std::size_t{16} << 20;
  /// Largest result, and largest event, in bytes, 1 to 1 GB.
  std::size_t max_result = std::size_t{16} << 20;
  /// How long finished jobs are kept, at least 1 s.
  std::chrono::milliseconds retention = std::chrono::hours(24 * 7);
};

class SqliteJobStore final : public JobStore, public JobReader, public JobOperator, public Outbox {
 public:
  explicit SqliteJobStore(SqliteDatabase& database, SqliteJobStoreOptions options = {});
  /// With a database of its own.
  SqliteJobStore(Runtime& runtime, SqliteDatabaseOptions database,
                 SqliteJobStoreOptions options = {});
  ~SqliteJobStore() override;

  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::span<const NewJob> jobs) override;
  /// In a transaction that the host has begun on a connection of its own to the same file: the jobs
  /// are there when it commits, and never were if it does not. Blocks for as long as the statements
  /// take, so not on an I/O thread. Handlers get the inputs as they are here, through
  /// JobQueueOptions::codec if there is one: it is not applied here, nor is JobOffload. *Errors:*
  /// those of enqueue(); invalid_argument without a transaction or the tables. *Thread safety:* the
  /// connection's.
  Result<std::vector<Enqueued>> enqueue_in(sqlite3* connection, std::span<const NewJob> jobs);
  /// After that commit: wakes this process's workers, which otherwise find the jobs when they poll.
  /// Any thread.
  void committed() noexcept;
  Async<std::vector<Backlog>> backlog(const Context& ctx,
                                      std::span<const std::string_view> kinds) override;
  Async<std::vector<ClaimedJob>> claim(const Context& ctx, WorkerId worker,
                                       std::span<const ClaimQuota> quotas) override;
  Async<std::vector<Settled>> settle(const Context& ctx,
                                     std::span<const Settlement> settlements) override;
  Async<HeartbeatReply> heartbeat(const Context& ctx, WorkerId worker,
                                  std::chrono::milliseconds lease) override;
  Async<MaintenanceReport> maintain(const Context& ctx, int max_rows) override;
  void on_ready(std::function<void()> ready) override;

  Async<JobInfo> get(const Context& ctx, const TenantId& tenant, JobId id) override;
  Async<Bytes> input(const Context& ctx, const TenantId& tenant, JobId id) override;
  Async<std::vector<JobInfo>> list(const Context& ctx, const TenantId& tenant,
                                   const JobPage& page) override;
  Async<JobInfo> control(const Context& ctx, const TenantId& tenant, JobId id,
                         JobAction action) override;
  Async<std::vector<bool>> refers(const Context& ctx, const TenantId& tenant,
                                  std::span<const Bytes> references) override;

  Async<JobStoreStats> stats(const Context& ctx) override;
  Async<void> pause(const Context& ctx, std::string_view kind) override;
  Async<void> resume(const Context& ctx, std::string_view kind) override;
  Async<int> prune(const Context& ctx, WallTime before, int limit) override;

  Async<std::vector<OutboxEvent>> peek(const Context& ctx, int limit) override;
  Async<void> ack(const Context& ctx, std::int64_t up_to) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
