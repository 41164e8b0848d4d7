// Contest: one TorchScript model twice, behind a Batcher and called in a loop on as many threads as
// there are instances.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batching/closed_loop.hpp"
#include "batching/direct_model.hpp"
#include "tuner/subject.hpp"

namespace bench {

struct ContestOptions {
  tuner::ModelSpec model{};
  int instances = 1;
  std::size_t max_batch = 64;
  std::size_t largest_direct_batch = 256;
};

class Contest {
 public:
  explicit Contest(const ContestOptions& options);

  /// Through the Batcher, as coroutines on its I/O thread. Throws when a request fails.
  LoopResult served(int in_flight, double seconds);
  /// Rows per second of all direct threads together.
  double direct_rate(std::size_t batch, double seconds);
  /// Direct calls of one row, on the calling thread.
  LoopResult singles(double seconds);
  /// Where the direct loop is fastest: powers of two.
  std::size_t best_batch(double seconds_each);
  aiserve::BatcherSnapshot snapshot() const { return subject_.batcher().snapshot(); }

 private:
  static LoopResult loop(DirectModel& model, std::size_t batch, double seconds);

  ContestOptions options_;
  mutable tuner::Subject subject_;
  std::vector<std::unique_ptr<DirectModel>> direct_;
};

}  // namespace bench
