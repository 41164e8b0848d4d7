#include "serving/element.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve;
using aiserve::detail::decode_element;
using aiserve::detail::Element;
using aiserve::detail::encode_element;

namespace {

std::uint16_t bits16(DType dtype, double value) {
  const Element element = encode_element(dtype, value).value();
  std::uint16_t bits = 0;
  std::memcpy(&bits, element.bytes.data(), sizeof bits);
  return bits;
}

double there_and_back(DType dtype, double value) {
  const Element element = encode_element(dtype, value).value();
  CHECK(element.size == size_of(dtype));
  return decode_element(dtype, element.bytes.data());
}

}  // namespace

TEST_CASE("numbers that a type can hold come back as they were") {
  for (const DType dtype : {DType::u8, DType::i8, DType::i16, DType::i32, DType::i64, DType::f16,
                            DType::bf16, DType::f32, DType::f64}) {
    for (const double value : {0.0, 1.0, 2.0, 100.0}) CHECK(there_and_back(dtype, value) == value);
  }
  CHECK(there_and_back(DType::boolean, 1) == 1);
  CHECK(there_and_back(DType::i8, -128) == -128);
  CHECK(there_and_back(DType::i64, -9e15) == -9e15);
  CHECK(there_and_back(DType::f16, -0.5) == -0.5);
  CHECK(there_and_back(DType::bf16, -1.5e30) == doctest::Approx(-1.5e30).epsilon(0.004));
}

TEST_CASE("numbers that an integer cannot hold are refused") {
  CHECK_FALSE(encode_element(DType::u8, -1).has_value());
  CHECK_FALSE(encode_element(DType::u8, 256).has_value());
  CHECK_FALSE(encode_element(DType::i32, 0.5).has_value());
  CHECK_FALSE(encode_element(DType::i64, 9.3e18).has_value());
  CHECK_FALSE(encode_element(DType::i64, std::nan("")).has_value());
  CHECK_FALSE(encode_element(DType::boolean, 2).has_value());
  CHECK_FALSE(encode_element(DType::string, 0).has_value());
}

// The expected bits are from IEEE 754-2019, table 3.5, and NumPy's float16.
TEST_CASE("half precision rounds to nearest even, with subnormals and infinities") {
  CHECK(bits16(DType::f16, 1) == 0x3C00);
  CHECK(bits16(DType::f16, -2) == 0xC000);
  CHECK(bits16(DType::f16, 65504) == 0x7BFF);
  CHECK(bits16(DType::f16, 65520) == 0x7C00);
  CHECK(bits16(DType::f16, 0x1p-24) == 0x0001);
  CHECK(bits16(DType::f16, 0x1p-14) == 0x0400);
  CHECK(bits16(DType::f16, 0x1.ff8p-15) == 0x03FF);
  CHECK(bits16(DType::f16, 1 + 0x1p-11) == 0x3C00);
  CHECK(bits16(DType::f16, 1 + 0x3p-11) == 0x3C02);
  CHECK(bits16(DType::f16, 2 - 0x1p-12) == 0x4000);
  CHECK(bits16(DType::f16, -0.0) == 0x8000);
  CHECK(std::isinf(there_and_back(DType::f16, 1e9)));
  CHECK(std::isnan(there_and_back(DType::f16, std::nan(""))));
}

TEST_CASE("every half but NaN survives a round trip") {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    std::byte bytes[2];
    std::memcpy(bytes, &half, sizeof half);
    const double value = decode_element(DType::f16, bytes);
    if (!std::isnan(value)) REQUIRE(bits16(DType::f16, value) == half);
    const double wide = decode_element(DType::bf16, bytes);
    if (!std::isnan(wide)) REQUIRE(bits16(DType::bf16, wide) == half);
  }
}

TEST_CASE("bfloat16 is the upper half of a float, rounded to nearest even") {
  CHECK(bits16(DType::bf16, 1) == 0x3F80);
  CHECK(bits16(DType::bf16, 1 + 0x1p-8) == 0x3F80);
  CHECK(bits16(DType::bf16, 1 + 0x3p-8) == 0x3F82);
  CHECK(std::isnan(there_and_back(DType::bf16, std::nan(""))));
}

TEST_CASE("filling repeats the element") {
  std::vector<float> values(5, 9.F);
  detail::fill_elements(std::as_writable_bytes(std::span(values)).first(12),
                        encode_element(DType::f32, 1.5).value());
  CHECK(values == std::vector<float>{1.5F, 1.5F, 1.5F, 9.F, 9.F});
  detail::fill_elements(std::as_writable_bytes(std::span(values)),
                        encode_element(DType::f32, 0).value());
  CHECK(values == std::vector<float>(5, 0.F));
}
