/// NewJob, JobInfo and what else a durable job is made of. A job is a unit of work that survives
/// the process: a kind, an input, and in the end exactly one recorded outcome. *Thread safety:*
/// values.
///
///     NewJob job(ctx.tenant().id(), "classify", Bytes::copy(image));
///     job.run_at = clock.wall_now() + 10min;
///     job.unique = JobUnique("order-17", JobUniqueScope::retained);
#pragma once

#include <aiserve/core/bytes.hpp>
#include <aiserve/core/deadline.hpp>
#include <aiserve/core/tenant.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0 {

/// A number that a store gives, ascending; only together with its tenant it names a job.
class JobId {
 public:
  constexpr JobId() noexcept = default;
  constexpr explicit JobId(std::int64_t value) noexcept : value_(value) {}
  constexpr std::int64_t value() const noexcept { return value_; }
  friend constexpr auto operator<=>(const JobId&, const JobId&) noexcept = default;

 private:
  std::int64_t value_ = 0;
};

/// One incarnation of a worker: a process that starts again is another one, so that nothing its
/// former self still says is taken for its own.
class WorkerId {
 public:
  constexpr WorkerId() noexcept = default;
  constexpr explicit WorkerId(std::uint64_t value) noexcept : value_(value) {}
  /// A new one from the system's random numbers: no two are equal, on any host, after a fork too.
  static WorkerId generate() noexcept;
  constexpr std::uint64_t value() const noexcept { return value_; }
  friend constexpr auto operator<=>(const WorkerId&, const WorkerId&) noexcept = default;

 private:
  std::uint64_t value_ = 0;
};

enum class JobState : std::uint8_t {
  scheduled,  ///< waits for its time, or for its turn under its order key
  available,  ///< waits for a worker
  running,
  retryable,  ///< failed, waits for its next attempt
  completed,
  cancelled,
  discarded,  ///< a dead letter; its error says why
};
std::string_view to_string(JobState state) noexcept;
constexpr bool is_final(JobState state) noexcept { return state >= JobState::completed; }

enum class JobUniqueScope : std::uint8_t {
  unfinished,  ///< until the job has its outcome
  retained,    ///< until `period` after it was enqueued: what an idempotency key wants
};

/// Another job of the same tenant and kind with this key is not enqueued: the one that is there is
/// returned instead.
class JobUnique {
 public:
  explicit JobUnique(std::string key, JobUniqueScope scope = JobUniqueScope::unfinished,
                     std::chrono::milliseconds period = std::chrono::hours(24))
      : key_(std::move(key)), scope_(scope), period_(period) {}
  const std::string& key() const noexcept { return key_; }
  JobUniqueScope scope() const noexcept { return scope_; }
  std::chrono::milliseconds period() const noexcept { return period_; }

 private:
  std::string key_;
  JobUniqueScope scope_;
  std::chrono::milliseconds period_;
};

struct NewJob {
  static constexpr int kPriorities = 10;
  /// What one step of priority is worth: a job waits at most so much longer per step than one that
  /// was ready at the same time, so that none starves.
  static constexpr std::chrono::milliseconds kAgeing{10'000};

  NewJob(TenantId tenant_id, std::string kind_name, Bytes payload)
      : tenant(std::move(tenant_id)), kind(std::move(kind_name)), input(std::move(payload)) {}

  TenantId tenant;
  std::string kind;  ///< 1 to 128 bytes; names the handler
  Bytes input;
  /// Not before; the past means at once.
  WallTime run_at{};
  /// Discarded if it has not started by then. Default: never.
  std::optional<WallTime> start_before{};
  /// 0 (first) to kPriorities - 1.
  int priority = 5;
  /// 1 to 1000. Snoozed and given back attempts don't count, those that lost their lease do.
  int max_attempts = 5;
  /// Quarantined after so many workers died under it, 1 to 1000.
  int max_crashes = 3;
  /// The longest attempt, 1 ms to 30 days: beyond it the job is taken from its worker.
  std::chrono::milliseconds timeout = std::chrono::minutes(15);
  std::optional<JobUnique> unique{};
  /// Jobs of one tenant and kind with the same key have their turns in the order in which they were
  /// enqueued. A turn ends with the job: retries and delays are part of it. Empty: no order.
  std::string order_key{};
  /// It has its turn when at most so many of its key have one, it included, 1 to 1000. 1: strictly
  /// one after the other. Those that have their turn are claimed by age and priority, as all jobs.
  int order_concurrency = 1;
  /// Refused as overloaded if so many of this tenant and kind wait already. 0: no limit.
  std::int64_t max_waiting = 0;
  /// W3C traceparent of who enqueued it.
  std::string trace{};
};

/// What is known of a job.
struct JobInfo {
  JobId id{};
  TenantId tenant{};
  std::string kind{};
  JobState state = JobState::scheduled;
  int priority = 0;
  int attempt = 0;  ///< how often it was claimed
  int max_attempts = 0;
  int crashes = 0;
  bool cancel_requested = false;
  WallTime created_at{};
  WallTime run_at{};  ///< while it waits: not before
  std::optional<WallTime> started_at{};
  std::optional<WallTime> finished_at{};
  std::string error{};            ///< of the latest attempt that failed
  std::optional<Bytes> result{};  ///< of a completed job; only from JobReader::get()
};

}  // namespace aiserve::inline v0
