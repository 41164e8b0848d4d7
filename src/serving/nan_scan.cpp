#include "serving/nan_scan.hpp"

#include <cstdint>

namespace aiserve::inline v0::detail {
namespace {

// IEEE 754: all exponent bits set and a mantissa that is not zero, so NaN is what lies above
// infinity once the sign is gone. No early exit: the loop is made of vector instructions, and NaN
// is rare.
template <class Bits>
bool any_above(ByteView bytes, Bits infinity) noexcept {
  const auto* values = reinterpret_cast<const Bits*>(bytes.data());
  const std::size_t count = bytes.size() / sizeof(Bits);
  constexpr auto kMagnitude = static_cast<Bits>(static_cast<Bits>(~Bits{0}) >> 1U);
  Bits found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    found = static_cast<Bits>(found | Bits{(values[i] & kMagnitude) > infinity});
  }
  return found != 0;
}

}  // namespace

bool has_nan(DType dtype, ByteView bytes) noexcept {
  switch (dtype) {
    case DType::f32:
      return any_above<std::uint32_t>(bytes, 0x7F80'0000U);
    case DType::f64:
      return any_above<std::uint64_t>(bytes, 0x7FF0'0000'0000'0000U);
    case DType::f16:
      return any_above<std::uint16_t>(bytes, 0x7C00U);
    case DType::bf16:
      return any_above<std::uint16_t>(bytes, 0x7F80U);
    default:
      return false;
  }
}

}  // namespace aiserve::inline v0::detail
