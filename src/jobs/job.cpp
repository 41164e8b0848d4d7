#include "aiserve/jobs/job.hpp"

#include <sys/random.h>

#include "decide/job_state.hpp"

namespace aiserve::inline v0 {

static_assert(static_cast<int>(JobState::discarded) ==
              static_cast<int>(decide::JobState::discarded));

WorkerId WorkerId::generate() noexcept {
  // Not from a stream of this process: a fork would repeat it.
  std::uint64_t value = 0;
  while (::getrandom(&value, sizeof value, 0) != sizeof value) {
  }
  return WorkerId(value);
}

std::string_view to_string(JobState state) noexcept {
  return decide::to_string(static_cast<decide::JobState>(state));
}

}  // namespace aiserve::inline v0
