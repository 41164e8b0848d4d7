// JobRunner: runs handlers on the I/O threads of the Runtime, and makes an outcome of whatever
// they end in.
#pragma once

#include <atomic>

#include "aiserve/core/runtime.hpp"
#include "core/io_thread.hpp"
#include "jobs/job_run.hpp"
#include "jobs/payloads.hpp"

namespace aiserve::inline v0::detail {

class JobRunner {
 public:
  JobRunner(Runtime& runtime, const JobPayloads& payloads) noexcept
      : runtime_(runtime), payloads_(payloads) {}

  /// Runs its handler on one of the I/O threads, in turn; the run comes back to `home`'s inbox.
  void start(JobRunPtr run, IoThread& home);

 private:
  Task run(JobRunPtr run, IoThread* home);
  boost::asio::awaitable<JobOutcome> attempt(const JobRun& run);
  boost::asio::awaitable<Result<JobOutcome>> call_handler(const JobRun& run);

  Runtime& runtime_;
  const JobPayloads& payloads_;
  unsigned next_ = 0;
};

}  // namespace aiserve::inline v0::detail
