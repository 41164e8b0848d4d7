// JobPayloads: inputs and results between the host and the store: the host's codec, limits, and
// large ones in objects instead of rows.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "aiserve/core/clock.hpp"
#include "aiserve/jobs/job_outcome.hpp"
#include "aiserve/jobs/job_queue_options.hpp"

namespace aiserve::inline v0::detail {

class JobPayloads {
 public:
  JobPayloads(const JobQueueOptions& options, const Clock& clock) noexcept
      : options_(options), clock_(clock) {}

  /// The Context for storing payloads and the rows that refer to them: until the sweep might take
  /// their objects for orphans.
  Context in_time(const Context& ctx) const;
  /// What a row holds for a payload. Errors: those of the codec and of ObjectStore::put().
  Async<Bytes> store(const Context& ctx, const TenantId& tenant, const Bytes& plain) const;
  /// Errors: those of the codec and of ObjectStore::get(), data_loss when the object is gone.
  Async<Bytes> load(const Context& ctx, const TenantId& tenant, const Bytes& stored) const;
  /// The result, and the inputs of the jobs that follow. Errors: too_large, and as store().
  Async<void> store_outcome(const Context& ctx, const TenantId& tenant, JobOutcome& outcome) const;
  /// For all drops of a call: they are no reason to keep its caller waiting.
  Context for_drops() const;
  /// No row refers to it: the object goes at once if it can, else it is swept.
  boost::asio::awaitable<void> drop(const Context& ctx, TenantId tenant, Bytes stored) const;

 private:
  Result<Bytes> encode(const TenantId& tenant, const Bytes& plain) const;
  Result<Bytes> decode(const TenantId& tenant, const Bytes& stored) const;
  Async<Bytes> fetch(const Context& ctx, const TenantId& tenant, std::string name) const;

  const JobQueueOptions& options_;
  const Clock& clock_;
};

}  // namespace aiserve::inline v0::detail
