/// JobReader: the port through which a tenant, or an operator on its behalf, sees and controls
/// jobs. A job of another tenant is not_found. *Thread safety:* called on I/O threads of one
/// Runtime, from several at once. *Errors:* not_found, conflict (the job's state does not allow
/// it), invalid_argument, overloaded, unavailable, and those of the Context.
///
///     Result<JobInfo> job = co_await jobs.get(ctx, ctx.tenant().id(), id);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/jobs/job.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
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
  /// What a reference to an object begins with, in place of a payload that JobOffload put there.
  static constexpr std::string_view kReferenceMark{
      "\x80\x7d\x73\x95\x3c\xbb\xc6\x48\x6f\xf9\xc1\xb4\x5b\xfe\x89\xa1", 16};
  static constexpr std::size_t kLongestReference = 512;  ///< bytes

  virtual ~JobReader() = default;

  /// With its result.
  virtual Async<JobInfo> get(const Context& ctx, const TenantId& tenant, JobId id) = 0;
  /// What it was enqueued with; a store may forget it when the job is finished. Default:
  /// unimplemented.
  virtual Async<Bytes> input(const Context& ctx, const TenantId& tenant, JobId id);
  /// The tenant's jobs, latest first.
  virtual Async<std::vector<JobInfo>> list(const Context& ctx, const TenantId& tenant,
                                           const JobPage& page) = 0;
  /// As it is afterwards. Errors: not_found, conflict (its state), overloaded (others hold its
  /// order key: again later).
  virtual Async<JobInfo> control(const Context& ctx, const TenantId& tenant, JobId id,
                                 JobAction action) = 0;
  /// Of each reference, whether it is the stored input or result of one of the tenant's jobs.
  /// Asked for every object now and then, so it wants an index of what begins with kReferenceMark.
  /// Default: unimplemented; then no object is ever deleted.
  virtual Async<std::vector<bool>> refers(const Context& ctx, const TenantId& tenant,
                                          std::span<const Bytes> references);
};

}  // namespace aiserve::inline v0
