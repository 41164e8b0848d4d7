#include "aiserve/jobs/job_reader.hpp"

namespace aiserve::inline v0 {

Async<Bytes> JobReader::input(const Context&, const TenantId&, JobId) {
  co_return Error(Errc::unimplemented, "the store does not give inputs back");
}

Async<std::vector<bool>> JobReader::refers(const Context& /*ctx*/, const TenantId& /*tenant*/,
                                           std::span<const Bytes> /*references*/) {
  co_return Error(Errc::unimplemented, "this store does not look for references");
}

}  // namespace aiserve::inline v0
