/// JobReader: the port through which a tenant, or an operator on its behalf, sees and controls
/// jobs. A job of another tenant is not_found. *Thread safety:* called on I/O threads of one
/// Runtime, from several at once. *Errors:* not_found, conflict (the job's state does not allow
/// it), invalid_argument, overloaded, unavailable, and those of the Context.
///
///     Result<JobInfo> job = co_await jobs.get(ctx, ctx.tenant().id(), id);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/jobs/job.hpp>

#include <optional>
#include <vector>

namespace aiserve::inline v0 {

struct JobPage {
  std::optional<JobState> state{};
  std::optional<JobId> before{};  ///< the last of the page before
  int limit = 100;                ///< 1 to 1000
};

enum class JobAction : std::uint8_t {
  cancel,   ///< at once if it waits; a running one is asked to end (HeartbeatReply::to_cancel)
  redrive,  ///< a cancelled or discarded job gets all its attempts again, at once
};

class JobReader {
 public:
  virtual ~JobReader() = default;

  /// With its result.
  virtual Async<JobInfo> get(const Context& ctx, const TenantId& tenant, JobId id) = 0;
  /// What it was enqueued with; a store may forget it when the job is finished. Default:
  /// unimplemented.
  virtual Async<Bytes> input(const Context& ctx, const TenantId& tenant, JobId id);
  /// The tenant's jobs, latest first.
  virtual Async<std::vector<JobInfo>> list(const Context& ctx, const TenantId& tenant,
                                           const JobPage& page) = 0;
  /// As it is afterwards.
  virtual Async<JobInfo> control(const Context& ctx, const TenantId& tenant, JobId id,
                                 JobAction action) = 0;
};

}  // namespace aiserve::inline v0
