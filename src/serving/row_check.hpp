// Whether rows mix: an answer that depends on who rides along is wrong for everybody, and the most
// expensive bug to find in production (batch statistics left in a model, a reduction over the
// wrong dimension, padding that is taken for data).
#pragma once

#include "aiserve/serving/model.hpp"
#include "serving/batch_builder.hpp"

namespace aiserve::inline v0::detail {

struct RowCheck {
  std::int64_t length = 16;  // of the second row; the first is shorter if rows are padded
  double tolerance = 1e-4;   // of the largest magnitude in an output; wider for 16-bit outputs
};

// Runs pseudo-random rows f([x, y]) and f([x]) (floats in [0, 1), integers 0 or 1, always the same)
// and compares x's outputs. Nothing is said of a model that x alone makes fail. Errors: internal,
// naming the output, or what the run of two said.
Result<void> check_rows(ModelInstance& instance, const Signature& signature, BatchBuilder& builder,
                        const RowCheck& check = {});

}  // namespace aiserve::inline v0::detail
