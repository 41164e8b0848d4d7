// JobPayloads: inputs and results between the host and the store: the host's codec, and limits.
#pragma once

#include "aiserve/jobs/job_outcome.hpp"
#include "aiserve/jobs/job_queue_options.hpp"

namespace aiserve::inline v0::detail {

class JobPayloads {
 public:
  explicit JobPayloads(const JobQueueOptions& options) noexcept : options_(options) {}

  Result<Bytes> encode(const TenantId& tenant, const Bytes& plain) const;
  /// Errors: those of the codec.
  Result<Bytes> decode(const TenantId& tenant, const Bytes& stored) const;
  /// Encodes the result and the inputs of the jobs that follow. Errors: too_large, and those of the
  /// codec.
  Result<void> encode_result(const TenantId& tenant, JobOutcome& outcome) const;

 private:
  const JobQueueOptions& options_;
};

}  // namespace aiserve::inline v0::detail
