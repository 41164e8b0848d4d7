// JobDoor: whether a job that has to start in time is let in, by what the dispatcher last saw
// waiting (decide/wait_estimate.hpp). Any thread.
#pragma once

#include <map>
#include <mutex>

#include "jobs/claim_planner.hpp"

namespace aiserve::inline v0::detail {

class JobDoor {
 public:
  explicit JobDoor(int slots) noexcept : slots_(static_cast<std::size_t>(slots)) {}

  /// By the dispatcher, after every look at the store.
  void update(const ClaimPlanner& planner, std::size_t running);
  /// Errors: overloaded with Retry-After, if a job of this tenant would certainly start after
  /// `start_within`. Says yes while it knows of no worker.
  Result<void> judge(const TenantId& tenant, double weight, std::size_t count,
                     Duration start_within) const;

 private:
  struct Queue {
    std::size_t jobs = 0;
    double work = 0;  // ns
    double weight = 1;
  };

  const std::size_t slots_;
  mutable std::mutex mutex_;
  std::map<TenantId, Queue> queues_;
  double all_work_ = 0;
  double running_work_ = 0;
  double all_weights_ = 0;
  double mean_work_ = 0;  // of a job, ns
};

}  // namespace aiserve::inline v0::detail
