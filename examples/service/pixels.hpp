/// From grey values to what the model takes, and from what it gives to a class.
/// *Thread safety:* free functions without shared state.
#pragma once

#include <aiserve/core/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

#include "fashion_data/dataset.hpp"

namespace service {

using Pixels = std::span<const std::uint8_t, fashion::kPixels>;

/// float32 [1, 28, 28], 0 (black) to 1.
aiserve::Tensor to_tensor(Pixels pixels);

/// The index of the highest probability, the first of several; kClasses when a value is no number
/// or there are not kClasses of them: then the model is not what it says.
std::size_t most_likely(const aiserve::Tensor& probabilities);

}  // namespace service
