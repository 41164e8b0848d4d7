// What every JobStore refuses before it looks at its data.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "aiserve/jobs/job_store.hpp"

namespace aiserve::inline v0::detail {

/// Errors: invalid_argument, too_large; the message names the field.
Result<void> check_job(const NewJob& job, std::size_t max_input);
Result<void> check_jobs(std::span<const NewJob> jobs, std::size_t max_input);
Result<void> check_quotas(std::span<const ClaimQuota> quotas);
/// The name of a kind; empty: all.
Result<void> check_pause(std::string_view kind);
Result<void> check_settlements(std::span<const Settlement> settlements, std::size_t max_input,
                               std::size_t max_result);

}  // namespace aiserve::inline v0::detail
