/// Job: what a handler sees of the job it runs; JobHandler: the handler.
///
/// Handlers run on I/O threads, with several of them on several at once, and must not block: what
/// blocks goes through Runtime::blocking() or cpu(). The Context carries the tenant, the job's
/// trace, the idempotency key of the job (the same in every attempt), the deadline of the attempt
/// and its cancellation: deadline (it takes too long), user (somebody cancelled the job),
/// lease_lost (the job is another worker's now), shutdown (it will be given back). An exception is
/// a retry, but a ResultError is judged as its Error. *Thread safety:* a Job is a value.
///
///     Async<JobOutcome> classify(const Context& ctx, const Job& job);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/jobs/job_outcome.hpp>

#include <functional>

namespace aiserve::inline v0 {

class Job {
 public:
  Job(ClaimedJob claimed, std::string kind, int version)
      : claimed_(std::move(claimed)), kind_(std::move(kind)), version_(version) {}

  /// With the tenant of the Context it names the job.
  JobId id() const noexcept { return claimed_.id; }
  const std::string& kind() const noexcept { return kind_; }
  int version() const noexcept { return version_; }
  const Bytes& input() const noexcept { return claimed_.input; }
  /// How often it was claimed, this time included.
  int attempt() const noexcept { return claimed_.attempt; }
  /// A retry now would discard it.
  bool last_attempt() const noexcept { return claimed_.used_attempts >= claimed_.max_attempts; }
  WallTime created_at() const noexcept { return claimed_.created_at; }
  /// Empty: none.
  const std::string& unique_key() const noexcept { return claimed_.unique_key; }

 private:
  ClaimedJob claimed_;
  std::string kind_;
  int version_;
};

using JobHandler = std::function<Async<JobOutcome>(const Context&, const Job&)>;

}  // namespace aiserve::inline v0
