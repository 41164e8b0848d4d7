// What a sweep teaches: the knee of the throughput, and the setting to use for a latency goal.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tuner/arrivals.hpp"

namespace tuner {

struct Setting {
  std::size_t max_batch = 64;
  int instances = 1;
  int threads = 1;  // inside one instance
  /// Of the fixed window that batches wait for more; 0: none, the Batcher's own rule.
  Nanos wait = 0;

  friend bool operator==(const Setting&, const Setting&) = default;
};
std::string to_string(const Setting& setting);
/// ", window of 2 ms", or nothing.
std::string wait_text(const Setting& setting);
/// Every combination, batches fastest.
std::vector<Setting> combinations(const std::vector<std::size_t>& max_batches,
                                  const std::vector<int>& instances,
                                  const std::vector<int>& threads,
                                  const std::vector<Nanos>& waits = {0});

/// A setting under one load.
struct SweepPoint {
  Setting setting;
  double offered_per_second = 0;  // 0: closed loop, saturated
  double per_second = 0;
  double p50_ns = 0;
  double p90_ns = 0;
  double p99_ns = 0;
  double p999_ns = 0;
  double mean_batch = 0;
  double refused_share = 0;
};

/// Of saturated points: the best with the smallest batch, then the fewest instances, whose
/// throughput is within 2 % of the best. Empty without points.
std::optional<SweepPoint> find_knee(const std::vector<SweepPoint>& saturated);

/// The settings worth a closer look: the knee of every (instances, threads, wait), the fastest
/// first, at most `most`; and batches of 1, because batching may hurt.
std::vector<Setting> candidates(const std::vector<SweepPoint>& saturated, std::size_t most);

/// Of points under load: the one with the most throughput whose p99 is within the goal and which
/// refused at most 0.1 %. Empty when there is none.
std::optional<SweepPoint> best_within(const std::vector<SweepPoint>& loaded, double goal_ns);

}  // namespace tuner
