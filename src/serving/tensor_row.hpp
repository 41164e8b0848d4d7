// TensorRow: what the BatchBuilder sees of a request: tensors in, tensors or an error out.
#pragma once

#include <vector>

#include "aiserve/core/tensor.hpp"

namespace aiserve::inline v0::detail {

struct TensorRow {
  // One tensor per input that requests bring (ShapeRules: all but the mask), in the signature's
  // order; the first inline, because most models have one.
  Tensor input;
  std::vector<Tensor> more_inputs;
  // Written by scatter().
  Result<Tensor> output;
  std::vector<Tensor> more_outputs;
  // Whether nobody waits for the outcome any more; null: never. Called from the worker's thread.
  bool (*gone)(const TensorRow& row) noexcept = nullptr;

  const Tensor& input_at(std::size_t index) const noexcept {
    return index == 0 ? input : more_inputs[index - 1];
  }
};

}  // namespace aiserve::inline v0::detail
