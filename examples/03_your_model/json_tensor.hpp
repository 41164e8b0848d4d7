/// Tensors as nested JSON arrays: [[1, 2], [3, 4]] for a shape of [2, 2].
///
/// *Errors:* invalid_argument, which names the place: "image[0][3]: ...". Numbers that the element
/// type cannot hold are refused, not wrapped. float16 and bfloat16 are read from bytes only.
/// *Thread safety:* any thread.
#pragma once

#include <aiserve/core/tensor.hpp>
#include <aiserve/serving/signature.hpp>

#include <nlohmann/json.hpp>

namespace your_model {

/// One row, with or without the batch dimension of 1.
aiserve::Result<aiserve::Tensor> tensor_from_json(const aiserve::TensorSpec& spec,
                                                  const nlohmann::json& json);

/// Infinities become null when dumped: JSON has none.
nlohmann::json tensor_to_json(const aiserve::Tensor& tensor);

}  // namespace your_model
