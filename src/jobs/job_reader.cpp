#include "aiserve/jobs/job_reader.hpp"

namespace aiserve::inline v0 {

Async<Bytes> JobReader::input(const Context&, const TenantId&, JobId) {
  co_return Error(Errc::unimplemented, "the store does not give inputs back");
}

}  // namespace aiserve::inline v0
