// BatcherAccess: a Batcher whose decisions are made by another policy: the rivals of the
// benchmarks run in the same engine.
#pragma once

#include "aiserve/serving/batcher.hpp"
#include "decide/batch_decision.hpp"

namespace aiserve::inline v0 {

class BatcherAccess {
 public:
  static std::unique_ptr<Batcher> make(Runtime& runtime, Model& model, BatcherOptions options,
                                       decide::BatchPolicy policy);
};

}  // namespace aiserve::inline v0
