#include "serving/nan_scan.hpp"

#include <limits>

#include <doctest/doctest.h>

using namespace aiserve;
using aiserve::detail::has_nan;

namespace {

template <class T>
bool scan(DType dtype, std::vector<T> values) {
  return has_nan(dtype, std::as_bytes(std::span(values)));
}

}  // namespace

TEST_CASE("NaN is found wherever it lies, of either sign, quiet or signalling") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t at = 0; at < 67; ++at) {
    std::vector<float> values(67, 1.5F);
    CHECK(!scan(DType::f32, values));
    values[at] = at % 2 == 0 ? nan : -nan;
    CHECK(scan(DType::f32, values));
  }
  CHECK(scan<std::uint32_t>(DType::f32, {0x7F80'0001U}));
  CHECK(scan<std::uint32_t>(DType::f32, {0xFF80'0001U}));
  CHECK(scan<double>(DType::f64, {0, std::numeric_limits<double>::quiet_NaN()}));
  CHECK(scan<std::uint16_t>(DType::f16, {0x3C00, 0x7C01}));
  CHECK(scan<std::uint16_t>(DType::bf16, {0x3F80, 0xFFC0}));
}

TEST_CASE("infinities, denormals and the largest numbers are no NaN") {
  using Float = std::numeric_limits<float>;
  using Double = std::numeric_limits<double>;
  CHECK(!scan<float>(DType::f32, {Float::infinity(), -Float::infinity(), Float::max(),
                                  Float::denorm_min(), -0.F}));
  CHECK(!scan<double>(DType::f64, {Double::infinity(), -Double::infinity(), Double::lowest()}));
  CHECK(!scan<std::uint16_t>(DType::f16, {0x7C00, 0xFC00, 0x7BFF}));
  CHECK(!scan<std::uint16_t>(DType::bf16, {0x7F80, 0xFF80, 0x7F7F}));
}

TEST_CASE("integers have no NaN whatever their bits, nor has an empty slab") {
  CHECK(!scan<std::uint32_t>(DType::i32, {0x7FFF'FFFFU, 0xFFFF'FFFFU}));
  CHECK(!scan<std::uint8_t>(DType::u8, {0xFF, 0x7F}));
  CHECK(!has_nan(DType::f32, {}));
}
