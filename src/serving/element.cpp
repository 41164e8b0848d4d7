#include "serving/element.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace aiserve::inline v0::detail {
namespace {

// IEEE 754 binary16: 5 bits of exponent, 10 of mantissa.
std::uint16_t to_half(double value) noexcept {
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000U : 0U);
  const double magnitude = std::fabs(value);
  const auto with_sign = [sign](long bits) { return static_cast<std::uint16_t>(sign | bits); };
  if (std::isnan(value)) return with_sign(0x7E00);
  if (magnitude >= 65520) return with_sign(0x7C00);
  if (magnitude < 0x1p-14) return with_sign(std::lrint(magnitude * 0x1p24));
  const int exponent = std::ilogb(magnitude);
  // A mantissa that rounds up to 2048 carries into the exponent, as it should.
  return with_sign(((exponent + 14L) << 10) + std::lrint(std::ldexp(magnitude, 10 - exponent)));
}

double from_half(std::uint16_t bits) noexcept {
  const int exponent = (bits >> 10) & 0x1F;
  const int mantissa = bits & 0x3FF;
  double magnitude = std::ldexp(1024 + mantissa, exponent - 25);
  if (exponent == 0) magnitude = std::ldexp(mantissa, -24);
  if (exponent == 31) {
    magnitude = mantissa == 0 ? std::numeric_limits<double>::infinity()
                              : std::numeric_limits<double>::quiet_NaN();
  }
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

// The upper half of a float32.
std::uint16_t to_bfloat(double value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16U) | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

double from_bfloat(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

template <class T>
std::optional<Element> stored(T value) noexcept {
  Element element;
  element.size = sizeof value;
  std::memcpy(element.bytes.data(), &value, sizeof value);
  return element;
}

template <class T>
std::optional<Element> integer(double value) noexcept {
  const double lowest = static_cast<double>(std::numeric_limits<T>::min());
  const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (!(value >= lowest && value < end) || std::trunc(value) != value) return std::nullopt;
  return stored(static_cast<T>(value));
}

template <class T>
T loaded(const std::byte* bytes) noexcept {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

std::optional<Element> encode_element(DType dtype, double value) noexcept {
  switch (dtype) {
    case DType::u8:
      return integer<std::uint8_t>(value);
    case DType::i8:
      return integer<std::int8_t>(value);
    case DType::i16:
      return integer<std::int16_t>(value);
    case DType::i32:
      return integer<std::int32_t>(value);
    case DType::i64:
      return integer<std::int64_t>(value);
    case DType::f16:
      return stored(to_half(value));
    case DType::bf16:
      return stored(to_bfloat(value));
    case DType::f32:
      return stored(static_cast<float>(value));
    case DType::f64:
      return stored(value);
    case DType::boolean:
      return value == 0 || value == 1 ? stored(value == 1) : std::nullopt;
    case DType::string:
      break;
  }
  return std::nullopt;
}

double decode_element(DType dtype, const std::byte* element) noexcept {
  switch (dtype) {
    case DType::u8:
      return loaded<std::uint8_t>(element);
    case DType::i8:
      return loaded<std::int8_t>(element);
    case DType::i16:
      return loaded<std::int16_t>(element);
    case DType::i32:
      return loaded<std::int32_t>(element);
    case DType::i64:
      return static_cast<double>(loaded<std::int64_t>(element));
    case DType::f16:
      return from_half(loaded<std::uint16_t>(element));
    case DType::bf16:
      return from_bfloat(loaded<std::uint16_t>(element));
    case DType::f32:
      return loaded<float>(element);
    case DType::f64:
      return loaded<double>(element);
    case DType::boolean:
      return loaded<std::uint8_t>(element) != 0 ? 1 : 0;
    case DType::string:
      break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

void fill_elements(std::span<std::byte> target, const Element& element) noexcept {
  const auto& bytes = element.bytes;
  const bool uniform = std::all_of(bytes.begin(), bytes.begin() + element.size,
                                   [&](std::byte b) { return b == bytes.front(); });
  if (uniform) {
    std::memset(target.data(), std::to_integer<int>(bytes.front()), target.size());
    return;
  }
  for (std::size_t at = 0; at < target.size(); at += element.size) {
    std::memcpy(target.data() + at, bytes.data(), element.size);
  }
}

}  // namespace aiserve::inline v0::detail
