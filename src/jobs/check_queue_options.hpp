// What the options of a JobQueue must be; ConfigError says which is not.
#pragma once

#include "aiserve/jobs/job_queue_options.hpp"

namespace aiserve::inline v0::detail {

void check_queue_options(const JobQueueOptions& options);
void check_kind(const JobQueueOptions& queue, const std::string& name,
                const JobKindOptions& options, bool handler);
void check_schedule(const JobQueueOptions& queue, const std::string& name,
                    const JobSchedule& schedule);

}  // namespace aiserve::inline v0::detail
