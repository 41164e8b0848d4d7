/// BatcherSnapshot: what a Batcher does right now, and what it has learned.
/// *Thread safety:* a value.
///
///     const BatcherSnapshot now = batcher.snapshot();
///     if (now.predicted_wait > 50ms) shed();
#pragma once

#include <aiserve/core/deadline.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

/// What batches of one size take, as observed.
struct BatchTime {
  std::size_t rows = 0;
  Duration mean{};
  Duration p95{};
  std::uint64_t batches = 0;
};

struct BatcherSnapshot {
  std::size_t queued = 0;     ///< rows waiting
  std::size_t in_flight = 0;  ///< waiting or being computed
  int instances = 0;
  int ready_instances = 0;
  int busy_instances = 0;
  int hung_instances = 0;      ///< past the hard limit
  int active_instances = 0;    ///< how many may run at the same time
  std::size_t max_batch = 0;   ///< as it is now
  std::size_t knee = 0;        ///< rows beyond which rows/s do not grow; max_batch if unknown
  std::size_t announced = 0;   ///< arrivals announced and not here yet
  std::uint64_t batches = 0;   ///< since the start
  std::uint64_t computed = 0;  ///< rows, since the start
  std::uint64_t reruns = 0;    ///< parts of failed batches that ran again
  std::uint64_t version = 1;   ///< counts replace()
  Duration computing{};        ///< time inside the model since the start, of all instances together
  Duration predicted_wait{};   ///< what a request that came now would wait
  Duration latency_goal{};
  Duration fit_base{};     ///< a batch takes about fit_base + rows * fit_per_row; zero if unknown
  Duration fit_per_row{};  ///< the same
  std::string tuning{};    ///< what the tuner does and why; empty without a goal
  std::vector<BatchTime> times{};  ///< of the shape that most rows had, as all that was learned
};

}  // namespace aiserve::inline v0
