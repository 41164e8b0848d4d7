// BatchGauges: what a Batcher is and has learned right now, read when metrics are collected.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "aiserve/core/metrics.hpp"
#include "aiserve/serving/batcher_snapshot.hpp"

namespace aiserve::inline v0::detail {

class BatchGauges {
 public:
  BatchGauges() = default;
  BatchGauges(Metrics& metrics, const std::string& batcher,
              std::function<BatcherSnapshot()> snapshot);

 private:
  std::vector<CallbackGauge> gauges_;
};

}  // namespace aiserve::inline v0::detail
