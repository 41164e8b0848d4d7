// LoadResult: what a load, open or closed, got for an answer.
#pragma once

#include <cstdint>
#include <vector>

#include "tuner/latency_histogram.hpp"
#include "tuner/send_proof.hpp"
#include "tuner/timeline.hpp"

namespace tuner {

enum class Outcome : std::uint8_t {
  ok,
  refused,  ///< overloaded: the queue is full, or it would be late anyway
  expired,  ///< its deadline passed
  failed,   ///< anything else: never expected
};

struct TenantResult {
  LatencyHistogram latency;  // of what was answered ok
  LatencyHistogram refusal;  // how long a refusal took, deadlines that passed included
  std::uint64_t ok = 0;
  std::uint64_t refused = 0;
  std::uint64_t expired = 0;
  std::uint64_t failed = 0;

  std::uint64_t answered() const noexcept { return ok + refused + expired + failed; }
  void count(Outcome outcome, std::int64_t took);
  void merge(const TenantResult& other);
};

struct LoadResult {
  double seconds = 0;
  double cpu_seconds = 0;  // of this process
  std::vector<TenantResult> tenants;
  std::uint64_t batches = 0;
  std::uint64_t batched_rows = 0;
  Timeline timeline;
  SendProof proof;  // open loops

  TenantResult all() const;
  double per_second() const noexcept;  // answered ok
  double mean_batch() const noexcept;
};

/// A percentile with fewer than this many samples beyond it moves too much from run to run; its key
/// gets the ending _unstable.
constexpr double kSamplesBeyond = 100;
inline bool stable(double share, std::uint64_t samples) noexcept {
  return (1 - share) * static_cast<double>(samples) >= kSamplesBeyond;
}

}  // namespace tuner
