// The row that all stores keep of a job, see jobs/job_row.hpp.
#pragma once

#include "jobs/job_row.hpp"

namespace aiserve::inline v0::pg {

using detail::advance_row;
using detail::block;
using detail::claimed_job;
using detail::fence_of;
using detail::JobRow;
using detail::new_job_row;
using detail::redrive_row;
using detail::settle_event;
using detail::to_info;
using detail::unique_until;

}  // namespace aiserve::inline v0::pg
