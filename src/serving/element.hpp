// One element of any type as a number: padding values and comparisons.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "aiserve/core/tensor.hpp"

namespace aiserve::inline v0::detail {

struct Element {
  std::array<std::byte, 8> bytes{};
  std::size_t size = 0;
};

// Nothing if the type cannot hold the value: a fraction or something out of range in an integer,
// strings. Floating types round to nearest, half to even.
std::optional<Element> encode_element(DType dtype, double value) noexcept;

// NaN for strings.
double decode_element(DType dtype, const std::byte* element) noexcept;

// `target` is a multiple of the element's size.
void fill_elements(std::span<std::byte> target, const Element& element) noexcept;

}  // namespace aiserve::inline v0::detail
