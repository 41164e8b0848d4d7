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
  /// Starts of each tenant by this process.
  JobRate rate{};
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
