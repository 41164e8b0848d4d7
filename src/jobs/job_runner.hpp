// JobRunner: runs handlers on the I/O threads of the Runtime, and makes an outcome of whatever
// they end in.
#pragma once

#include <atomic>

#include "aiserve/core/runtime.hpp"
#include "core/io_thread.hpp"
#include "jobs/job_run.hpp"
#include "jobs/payloads.hpp"
#include "jobs/rate_rows.hpp"

namespace aiserve::inline v0::detail {

class JobRunner {
 public:
  JobRunner(Runtime& runtime, const JobPayloads& payloads, const RateRows& rates) noexcept
      : runtime_(runtime), payloads_(payloads), rates_(rates) {}

  /// Runs its handler on one of the I/O threads, in turn; the run comes back to `home`'s inbox.
  void start(JobRunPtr run, IoThread& home);

 private:
  Task run(JobRunPtr run, IoThread* home);
  boost::asio::awaitable<JobOutcome> attempt(JobRun& run);
  boost::asio::awaitable<Result<JobOutcome>> call_handler(JobRun& run);
  /// Errors: it is to be put off.
  Async<void> keep_order_rate(JobRun& run) const;
  /// Until what it needs may be there again, after an error under `ctx`; 0 when it is the attempt
  /// that failed.
  Duration outage(const JobRun& run, const Context& ctx, const Error& error) const;
  Context keeping(const JobRun& run) const;

  Runtime& runtime_;
  const JobPayloads& payloads_;
  const RateRows& rates_;
  unsigned next_ = 0;
};

}  // namespace aiserve::inline v0::detail
