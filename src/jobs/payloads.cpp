#include "jobs/payloads.hpp"

namespace aiserve::inline v0::detail {

Result<Bytes> JobPayloads::encode(const TenantId& tenant, const Bytes& plain) const {
  return options_.codec.encode ? options_.codec.encode(tenant, plain) : Result<Bytes>(plain);
}

Result<Bytes> JobPayloads::decode(const TenantId& tenant, const Bytes& stored) const {
  return options_.codec.decode ? options_.codec.decode(tenant, stored) : Result<Bytes>(stored);
}

Result<void> JobPayloads::encode_result(const TenantId& tenant, JobOutcome& outcome) const {
  if (outcome.result().size() > options_.max_result) {
    return Error(Errc::too_large, "the result is larger than max_result");
  }
  Result<Bytes> stored = encode(tenant, outcome.result());
  if (!stored) return stored.error();
  outcome.replace_result(std::move(*stored));
  return success();
}

}  // namespace aiserve::inline v0::detail
