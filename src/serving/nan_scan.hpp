// Finds NaN in the rows of a slab.
#pragma once

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/tensor.hpp"

namespace aiserve::inline v0::detail {

// Whether an element is NaN; always false for types without one. `bytes` is aligned for the type.
bool has_nan(DType dtype, ByteView bytes) noexcept;

}  // namespace aiserve::inline v0::detail
