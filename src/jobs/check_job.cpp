#include "jobs/check_job.hpp"

#include <array>

namespace aiserve::inline v0::detail {
namespace {

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestKey = 1024;
constexpr std::chrono::milliseconds kLongestTimeout = std::chrono::hours(24 * 30);

Result<void> require(bool holds, const char* what) {
  if (holds) return success();
  return Error(Errc::invalid_argument, std::string("job: ") + what);
}

Result<void> check_unique(const JobUnique& unique) {
  const std::size_t size = unique.key().size();
  if (auto good = require(size >= 1 && size <= kLongestKey, "a unique key has 1 to 1024 bytes");
      !good) {
    return good;
  }
  return require(unique.period().count() >= 1, "the period of a unique key is at least 1 ms");
}

}  // namespace

Result<void> check_job(const NewJob& job, std::size_t max_input) {
  const auto in = [](auto value, auto low, auto high) { return value >= low && value <= high; };
  const std::array<std::pair<bool, const char*>, 8> rules{{
      {in(job.kind.size(), std::size_t{1}, kLongestName), "kind has 1 to 128 bytes"},
      {in(job.priority, 0, NewJob::kPriorities - 1), "priority is 0 to 9"},
      {in(job.max_attempts, 1, 1000), "max_attempts is 1 to 1000"},
      {in(job.max_crashes, 1, 1000), "max_crashes is 1 to 1000"},
      {in(job.timeout.count(), std::int64_t{1}, std::int64_t{kLongestTimeout.count()}),
       "timeout is 1 ms to 30 days"},
      {job.order_key.size() <= kLongestKey, "order_key has at most 1024 bytes"},
      {in(job.order_concurrency, 1, 1000), "order_concurrency is 1 to 1000"},
      {job.max_waiting >= 0 && job.trace.size() <= kLongestKey,
       "max_waiting is not negative, trace has at most 1024 bytes"},
  }};
  for (const auto& [holds, what] : rules) {
    if (auto good = require(holds, what); !good) return good;
  }
  if (job.input.size() > max_input) {
    return Error(Errc::too_large, "job: the input is larger than the store takes");
  }
  return job.unique ? check_unique(*job.unique) : success();
}

Result<void> check_jobs(std::span<const NewJob> jobs, std::size_t max_input) {
  for (const NewJob& job : jobs) {
    if (auto good = check_job(job, max_input); !good) return good;
  }
  return success();
}

Result<void> check_quotas(std::span<const ClaimQuota> quotas) {
  for (const ClaimQuota& quota : quotas) {
    if (auto good = require(quota.n >= 1 && quota.n <= 10'000, "a quota is 1 to 10000"); !good) {
      return good;
    }
  }
  return success();
}

Result<void> check_pause(std::string_view kind) {
  return require(kind.size() <= kLongestName, "kind has at most 128 bytes");
}

Result<void> check_settlements(std::span<const Settlement> settlements, std::size_t max_input,
                               std::size_t max_result) {
  for (const Settlement& one : settlements) {
    if (one.result.size() > max_result) {
      return Error(Errc::too_large, "job: the result is larger than the store takes");
    }
    if (auto good = check_jobs(one.next, max_input); !good) return good;
    for (const JobEvent& event : one.events) {
      if (event.payload.size() > max_result) {
        return Error(Errc::too_large, "job: an event is larger than the store takes");
      }
    }
  }
  return success();
}

}  // namespace aiserve::inline v0::detail
