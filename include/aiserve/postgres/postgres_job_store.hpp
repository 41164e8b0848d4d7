/// PostgresJobStore: JobStore, JobReader, JobOperator and Outbox in a PostgresDatabase, shared by
/// any number of processes.
///
/// Calls of enqueue() that wait at the same time are committed together. Waiting and running jobs
/// lie in a narrow table; inputs, and finished jobs with their results, apart. Tenants see their
/// own rows only (row-level security); the dispatcher's role sees what waits and runs, but neither
/// inputs nor results. Finished jobs are deleted after `retention`. Leases, delays and retention
/// follow the server's clock. Claims are not waited for to be on the server's disk: after a crash
/// of the server a job may be claimed again under the same attempt number, of another worker
/// incarnation or not; its outcome is recorded once all the same.
/// *Thread safety:* any I/O thread of the Runtime. *Errors:* those of the ports and of
/// PostgresDatabase; the constructors throw ConfigError.
///
///     PostgresJobStore store(runtime, {.dsn = "postgresql://classifier@db/classifier"});
///     PostgresJobStore other(database);  // shares the connections of other stores
#pragma once

#include <aiserve/jobs/job_operator.hpp>
#include <aiserve/jobs/job_reader.hpp>
#include <aiserve/jobs/job_store.hpp>
#include <aiserve/jobs/outbox.hpp>
#include <aiserve/postgres/postgres_database.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

struct pg_conn;  // PGconn of <libpq-fe.h>

namespace aiserve::inline v0 {

struct PostgresJobStoreOptions {
  /// Largest input in bytes, 1 to 500 MB.
  std::size_t max_input = std::size_t{16} << 20;
  /// Largest result, and largest event, in bytes, 1 to 500 MB.
  std::size_t max_result = std::size_t{16} << 20;
  /// How long finished jobs are kept, at least 1 s. From two days on they are deleted by whole days
  /// of UTC, up to a day, or a sixteenth of it, later.
  std::chrono::milliseconds retention = std::chrono::hours(24 * 7);
  /// Tells other processes of jobs that became ready, at most every 20 ms, and listens to them: a
  /// connection and a thread more. Without it, and from behind a pooler (`prepared` is false), jobs
  /// of others are found by polling, see JobQueueOptions::poll.
  bool notify = true;
};

class PostgresJobStore final : public JobStore,
                               public JobReader,
                               public JobOperator,
                               public Outbox {
 public:
  explicit PostgresJobStore(PostgresDatabase& database, PostgresJobStoreOptions options = {});
  /// With a database of its own.
  PostgresJobStore(Runtime& runtime, PostgresDatabaseOptions database,
                   PostgresJobStoreOptions options = {});
  ~PostgresJobStore() override;

  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::span<const NewJob> jobs) override;
  /// In a transaction that the host has begun on a connection of its own (a libpq PGconn) to the
  /// same database: the jobs are there when it commits, and never were if it does not. Settings and
  /// role of the transaction are put back; after an error it goes on as if nothing had been asked.
  /// Blocks for as long as the statements take, at most PostgresDatabaseOptions::timeout, so not on
  /// an I/O thread. What holds unique and order keys, and bounded queues that are more than half
  /// full, waits for the host's commit; enqueue() does so for a second, then is overloaded, also
  /// for the host itself: commit first. Bounds are kept per call: several calls for one bounded
  /// queue in one transaction may pass its bound, and may wait for another such host in a circle.
  /// Handlers get the inputs as they are here, through JobQueueOptions::codec if there is one: it
  /// is not applied here, nor is JobOffload. *Errors:* those of
  /// enqueue(); invalid_argument without a transaction, in one that failed or is read-only, without
  /// the tables, and for order keys and max_waiting in one that is not READ COMMITTED;
  /// permission_denied if the login lacks the roles of docs/storage.md. *Thread safety:* the
  /// connection's.
  Result<std::vector<Enqueued>> enqueue_in(pg_conn* connection, std::span<const NewJob> jobs);
  /// After that commit: wakes the workers of this process and, soon, of others, which otherwise
  /// find the jobs when they poll. Any thread.
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

  /// Whether what is counted and who waits for whom agrees with the jobs that are there; reads all
  /// that is not finished. *Errors:* data_loss.
  Async<void> check(const Context& ctx);

  Async<std::vector<OutboxEvent>> peek(const Context& ctx, int limit) override;
  Async<void> ack(const Context& ctx, std::int64_t up_to) override;

  /// Of the connections.
  PostgresStats stats() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
