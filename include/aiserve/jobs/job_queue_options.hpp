/// What can be said about a JobQueue, its kinds and its schedules at wiring. ConfigError names what
/// is out of its range.
#pragma once

#include <aiserve/core/tenant_directory.hpp>
#include <aiserve/jobs/job.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace aiserve::inline v0 {

class KeyValueStore;
class ObjectStore;

/// Pauses between attempts: uniform between 0 and first * factor^(failures - 1), at most `longest`
/// ("full jitter": Brooker, Exponential Backoff And Jitter, 2015).
struct JobBackoff {
  std::chrono::milliseconds first{1'000};      ///< 0 to 30 days
  std::chrono::milliseconds longest{600'000};  ///< first to 30 days
  double factor = 2;                           ///< 1 to 10
};

/// Applied to every input and result between the host and the store: to encrypt or to compress.
/// Both or neither are set; called on I/O threads, several at once. An error of `decode` is judged
/// as an error of the handler.
struct JobCodec {
  std::function<Result<Bytes>(const TenantId&, const Bytes&)> encode{};
  std::function<Result<Bytes>(const TenantId&, const Bytes&)> decode{};
};

/// Large inputs and results (as the codec gives them) go to an ObjectStore, and the job's row holds
/// a reference. The object belongs to the job: it is deleted some time after the job is forgotten.
/// An object that is missing discards its job, with that as the reason.
struct JobOffload {
  /// Outlives the queue. Null: everything goes into rows. All processes that run or read the jobs
  /// need it, so give it to them before one uses it.
  ObjectStore* objects = nullptr;
  /// What has more bytes is offloaded, 1 KiB to 1 GB. A row in SQLite or PostgreSQL of that size
  /// costs little more than an object.
  std::size_t above = std::size_t{256} << 10;
  /// Names of objects begin with it, 1 to 200 bytes. What lies under it and no job of this queue's
  /// store refers to is deleted: two stores of jobs never share an ObjectStore and a prefix.
  std::string prefix = "jobs/";
  /// When an object that no job refers to is deleted, 2 min to 30 days and at least 2 leases and
  /// 2 min: twice as long as an enqueue, or the recording of an outcome, is ever under way, the
  /// timeout of a database included (PostgresDatabaseOptions::timeout).
  std::chrono::milliseconds orphan_age = std::chrono::hours(1);
  /// How often such objects are looked for by a process that runs jobs, 10 s to 1 day. Each is
  /// looked up, and deleted when it is found so twice in a row: longer than a standby's lag.
  std::chrono::milliseconds sweep = std::chrono::minutes(10);
};

/// The rates of kinds (JobKindOptions::rate, order_rate) hold over all processes that are given one
/// KeyValueStore: each takes its starts from the same rows before it claims. Clocks of hosts that
/// differ by up to a minute never exceed a rate, but leave less of it to those behind.
/// While the store is away no job of a kind with a rate starts; others are not concerned.
struct JobRates {
  /// Outlives the queue. Null: each process has the rate for itself.
  KeyValueStore* store = nullptr;
  /// Keys begin with it, 1 to 200 bytes. Two queues whose kinds have the same names need two.
  std::string prefix = "jobs/rate/";
};

struct JobQueueOptions {
  /// Names the queue in metrics, logs and threads.
  std::string name = "jobs";
  /// Jobs that this process runs at once, 0 to 10,000. 0: it only enqueues.
  int concurrency = 8;
  /// Of jobs that don't say, 1 to 1000.
  int max_attempts = 5;
  /// Workers that may die under a job before it is quarantined, 1 to 1000.
  int max_crashes = 3;
  /// After a worker died its jobs wait so long, and a second more at most. It is renewed by a
  /// thread that never runs handlers. 1 s to 1 h; longer spares writes.
  std::chrono::milliseconds lease{30'000};
  /// The longest attempt, of kinds that don't say, 1 ms to 30 days: beyond it the job is another
  /// worker's.
  std::chrono::milliseconds timeout = std::chrono::minutes(15);
  JobBackoff backoff{};
  /// Jobs of one tenant and kind that may wait, 1 to 2^40: beyond it enqueue() is overloaded.
  std::int64_t max_waiting = 100'000;
  /// Largest result in bytes that a handler may return, 1 byte to 1 GB; a larger one discards the
  /// job.
  std::size_t max_result = std::size_t{16} << 20;
  /// How often the store is asked for what other processes did, 10 ms to 1 min. Own jobs need no
  /// asking.
  std::chrono::milliseconds poll{1'000};
  /// A claimed job that finds no free slot in this time is given back, 1 ms to 1 min.
  std::chrono::milliseconds local_wait{500};
  /// Weights and Contexts of tenants. Default: all are equal. Outlives the queue.
  const TenantDirectory* tenants = nullptr;
  JobCodec codec{};
  JobOffload offload{};
  JobRates rates{};
};

/// At most so many starts per second, and `burst` at once after a pause.
struct JobRate {
  double per_second = 0;  ///< 0: no limit; else 0.000001 to 1e9
  std::uint32_t burst = 1;
};

struct JobKindOptions {
  /// Jobs are of a kind and a version, 1 to 1,000,000; a process claims only those it has a handler
  /// for, so that old and new programs can run side by side. See job_kind().
  int version = 1;
  /// Absent: as the queue.
  std::optional<int> max_attempts{};
  std::optional<std::chrono::milliseconds> timeout{};
  std::optional<JobBackoff> backoff{};
  /// After so long the attempt is cancelled with reason deadline, `timeout` takes it away. Default:
  /// at the timeout.
  std::optional<std::chrono::milliseconds> soft_timeout{};
  /// Over all tenants and processes, at least 1, but for what processes claim in the same moment.
  std::optional<int> max_running{};
  /// Likewise of each tenant.
  std::optional<int> max_running_per_tenant{};
  /// Of the jobs of one order key that JobQueue::make() makes, so many may have their turn at once,
  /// over all processes, 1 to 1000: NewJob::order_concurrency. Those that wait keep the number that
  /// they were made with.
  int order_concurrency = 1;
  /// Starts of each tenant, by this process or, see JobRates, by all.
  JobRate rate{};
  /// Likewise of each order key of a tenant, at least one in 1000 s. A job that would be too early
  /// is put off, the others of its key behind it; that uses no attempt.
  JobRate order_rate{};
};

/// What to do about runs of a schedule that were missed while no process was there.
enum class CatchUp : std::uint8_t {
  none,    ///< forget them
  latest,  ///< make up for the latest of the last day
  all,     ///< make up for all of the last day
};

struct JobSchedule {
  /// crontab(5), five fields or six that begin with seconds, or @daily and the like.
  std::string cron{};
  /// "UTC" or a file below /usr/share/zoneinfo: "Europe/Berlin".
  std::string time_zone = "UTC";
  /// The job of every run.
  std::string kind{};
  TenantId tenant{};
  Bytes input{};
  CatchUp catch_up = CatchUp::latest;
  /// Runs before it are not made up for: when the schedule was written.
  WallTime since{};
};

/// The name under which jobs of a version are stored: "classify", "classify@2".
std::string job_kind(std::string_view kind, int version);

}  // namespace aiserve::inline v0
