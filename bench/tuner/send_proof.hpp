// SendProof: whether an open loop offered what it says it offered. A load generator that falls
// behind measures itself, and hides the worst latencies (coordinated omission): such a run is an
// error, not a result.
#pragma once

#include <string>

#include "tuner/latency_histogram.hpp"

namespace tuner {

struct SendProof {
  double offered_per_second = 0;
  double sent_per_second = 0;
  /// How late requests were sent, by their schedule.
  std::int64_t lag_p99 = 0;
  std::int64_t latency_p50 = 0;
  /// The subject refused or could not take what came: then it, not the sender, was the brake.
  bool overloaded = false;

  /// Lateness that counts as on time: 1 ms, or 5 % of the median latency if that is more.
  std::int64_t allowed_lag() const noexcept;
  /// Empty when the rate was reached; else by how much it was missed.
  std::string failure() const;
};

}  // namespace tuner
