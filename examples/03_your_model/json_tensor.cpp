#include "json_tensor.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

namespace your_model {
namespace {

using namespace aiserve;
using Json = nlohmann::json;

Error invalid(const std::string& where, const std::string& why) {
  return Error(Errc::invalid_argument, where + ": " + why);
}

template <class T>
bool holds(const Json& number) {
  if constexpr (std::is_same_v<T, bool>) {
    return number.is_boolean();
  } else if constexpr (std::is_floating_point_v<T>) {
    return number.is_number() && std::isfinite(number.get<T>());
  } else if (number.is_number_unsigned()) {
    return number.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  } else {
    return number.is_number_integer() &&
           number.get<std::int64_t>() >= std::numeric_limits<T>::min() &&
           number.get<std::int64_t>() <= static_cast<std::int64_t>(std::numeric_limits<T>::max());
  }
}

/// Walks the arrays in row-major order and writes their elements one after the other.
template <class T>
class Reader {
 public:
  Reader(const TensorSpec& spec, std::byte* out)
      : spec_(spec), shape_(spec.row_shape()), out_(out) {}

  Result<void> read(const Json& json, std::size_t dim, const std::string& where) {
    if (dim == shape_.rank()) return element(json, where);
    const auto expected = static_cast<std::size_t>(shape_[dim]);
    if (!json.is_array() || json.size() != expected) {
      return invalid(where, "expected an array of " + std::to_string(expected));
    }
    for (std::size_t i = 0; i < expected; ++i) {
      Result<void> done = read(json[i], dim + 1, where + "[" + std::to_string(i) + "]");
      if (!done) return done;
    }
    return success();
  }

 private:
  Result<void> element(const Json& json, const std::string& where) {
    if (!holds<T>(json)) {
      return invalid(where, "expected " + std::string(to_string(spec_.dtype())));
    }
    const T value = json.get<T>();
    std::memcpy(out_, &value, sizeof(T));
    out_ += sizeof(T);
    return success();
  }

  const TensorSpec& spec_;
  const Shape shape_;
  std::byte* out_;
};

/// IEEE 754 binary16.
float float_from_half(std::uint16_t bits) {
  const int exponent = bits >> 10U & 0x1FU;
  const auto mantissa = static_cast<float>(bits & 0x3FFU);
  const float sign = (bits & 0x8000U) != 0 ? -1.F : 1.F;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  if (exponent < 31) return sign * std::ldexp(mantissa + 1024.F, exponent - 25);
  using Float = std::numeric_limits<float>;
  return mantissa == 0 ? sign * Float::infinity() : Float::quiet_NaN();
}

/// The upper half of a binary32.
float float_from_bfloat(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

/// Calls `fn(T{})` with the C++ type of the elements; bits for the two that C++ has none for.
template <class Fn>
auto with_type(DType dtype, const Fn& fn) {
  switch (dtype) {
    case DType::u8:
      return fn(std::uint8_t{});
    case DType::i8:
      return fn(std::int8_t{});
    case DType::i16:
      return fn(std::int16_t{});
    case DType::i32:
      return fn(std::int32_t{});
    case DType::i64:
      return fn(std::int64_t{});
    case DType::f64:
      return fn(double{});
    case DType::boolean:
      return fn(bool{});
    case DType::f16:
    case DType::bf16:
      return fn(std::uint16_t{});
    default:
      return fn(float{});
  }
}

template <class T>
Json element_to_json(DType dtype, T value) {
  if constexpr (std::is_same_v<T, std::uint16_t>) {
    return dtype == DType::f16 ? float_from_half(value) : float_from_bfloat(value);
  } else {
    return value;
  }
}

template <class T>
Json nested(const Tensor& tensor, std::size_t dim, const T*& next) {
  if (dim == tensor.shape().rank()) return element_to_json(tensor.dtype(), *next++);
  Json array = Json::array();
  for (std::int64_t i = 0; i < tensor.shape()[dim]; ++i) {
    array.push_back(nested(tensor, dim + 1, next));
  }
  return array;
}

/// [[...]] stands for [...] where the row itself begins with another dimension.
const Json& without_batch(const TensorSpec& spec, const Json& json) {
  std::size_t depth = 0;
  for (const Json* inner = &json; inner->is_array() && !inner->empty(); inner = &inner->front()) {
    ++depth;
  }
  return depth == spec.shape().rank() && json.size() == 1 ? json.front() : json;
}

}  // namespace

Result<Tensor> tensor_from_json(const TensorSpec& spec, const Json& json) {
  if (spec.dtype() == DType::f16 || spec.dtype() == DType::bf16) {
    return invalid(spec.name(), "a " + std::string(to_string(spec.dtype())) +
                                    " input must be sent as application/octet-stream");
  }
  MutableBytes block(spec.row_bytes());
  const Result<void> read = with_type(spec.dtype(), [&]<class T>(T) {
    return Reader<T>(spec, block.data()).read(without_batch(spec, json), 0, spec.name());
  });
  if (!read) return read.error();
  return Tensor::make(spec.dtype(), spec.row_shape(), std::move(block).freeze());
}

Json tensor_to_json(const Tensor& tensor) {
  return with_type(tensor.dtype(), [&]<class T>(T) {
    const auto* next = reinterpret_cast<const T*>(tensor.payload().data());
    return nested(tensor, 0, next);
  });
}

}  // namespace your_model
