/// JobOutcome: what became of an attempt at a job, as a value that its handler returns.
///
/// done, retry (uses an attempt), snooze (does not), cancel (pointless), discard (can never
/// succeed: a dead letter). Jobs and events that are added take effect in the transaction that
/// records the outcome, or not at all. *Thread safety:* a value.
///
///     jobs.on("classify", [&](const Context& ctx, const Job& job) -> Async<JobOutcome> {
///       const Result<Bytes> label = co_await classify(ctx, job.input());
///       co_return JobOutcome::from(label);
///     });
#pragma once

#include <aiserve/core/tensor.hpp>
#include <aiserve/jobs/job_store.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aiserve::inline v0 {

class JobOutcome {
 public:
  /// For Result<JobOutcome>: a discard without a reason.
  JobOutcome() noexcept = default;

  static JobOutcome done(Bytes result = {});
  /// Again after the kind's backoff with full jitter, and not before the error's retry_after();
  /// discarded when its attempts are used up.
  static JobOutcome retry(const Error& why);
  /// Again at that time, without backoff.
  static JobOutcome retry_at(WallTime at, const Error& why);
  /// Again at that time; the attempt does not count.
  static JobOutcome snooze_until(WallTime at);
  static JobOutcome cancel(std::string why);
  static JobOutcome discard(const Error& why);

  /// The value is the result. An error is retried if its code is retryable (core/error.hpp) or the
  /// work was cancelled, else it discards the job.
  static JobOutcome from(const Result<Bytes>& result);
  static JobOutcome from(const Result<void>& result);
  /// The tensor's elements in host byte order.
  static JobOutcome from(const Result<Tensor>& result);
  static JobOutcome from(const Error& error);

  /// Enqueued with the outcome.
  JobOutcome& then(NewJob next) & {
    next_.push_back(std::move(next));
    return *this;
  }
  JobOutcome then(NewJob next) && { return std::move(then(std::move(next))); }
  /// Written to the store's outbox with the outcome.
  JobOutcome& tell(JobEvent event) & {
    events_.push_back(std::move(event));
    return *this;
  }
  JobOutcome tell(JobEvent event) && { return std::move(tell(std::move(event))); }
  /// What the tenant is charged, above 0, in one unit for all kinds (tokens, GPU seconds). Default:
  /// the seconds that the handler ran.
  JobOutcome& cost(double units) & noexcept {
    cost_ = units;
    return *this;
  }
  JobOutcome cost(double units) && noexcept { return std::move(cost(units)); }

  JobOutcomeKind kind() const noexcept { return kind_; }
  const Bytes& result() const noexcept { return result_; }
  void replace_result(Bytes result) noexcept { result_ = std::move(result); }
  const std::string& error() const noexcept { return error_; }
  /// When to try again; absent: the backoff decides.
  const std::optional<WallTime>& at() const noexcept { return at_; }
  std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }
  std::vector<NewJob>& next() noexcept { return next_; }
  std::vector<JobEvent>& events() noexcept { return events_; }
  std::optional<double> cost() const noexcept { return cost_; }

 private:
  JobOutcome(JobOutcomeKind kind, std::string error) noexcept
      : kind_(kind), error_(std::move(error)) {}

  JobOutcomeKind kind_ = JobOutcomeKind::discard;
  Bytes result_;
  std::string error_;
  std::optional<WallTime> at_;
  std::chrono::milliseconds retry_after_{0};
  std::vector<NewJob> next_;
  std::vector<JobEvent> events_;
  std::optional<double> cost_;
};

}  // namespace aiserve::inline v0
