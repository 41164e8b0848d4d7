/// Tensor: dense, row-major, contiguous array: element type, shape, payload Bytes.
///
/// Copies share the payload. make() checks every dimension and the byte length against each other,
/// so a Tensor that exists is consistent. Strings are stored as u32 offsets[n + 1] followed by the
/// characters, in one block.
/// *Thread safety:* a value. *Errors:* invalid_argument from make().
///
///     Result<Tensor> image = Tensor::make(DType::u8, {1, 28, 28}, request_body);
///     std::span<const std::uint8_t> pixels = image->data<std::uint8_t>();
#pragma once

#include <aiserve/core/bytes.hpp>
#include <aiserve/core/result.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

enum class DType : std::uint8_t { u8, i8, i16, i32, i64, f16, bf16, f32, f64, boolean, string };

/// Bytes per element; 0 for string.
std::size_t size_of(DType dtype) noexcept;
/// "float32", "int64", "uint8", ... as NumPy and PyTorch spell them.
std::string_view to_string(DType dtype) noexcept;
Result<DType> parse_dtype(std::string_view name);

template <class T>
struct DTypeOf;
// clang-format off
template <> struct DTypeOf<std::uint8_t> { static constexpr DType value = DType::u8; };
template <> struct DTypeOf<std::int8_t> { static constexpr DType value = DType::i8; };
template <> struct DTypeOf<std::int16_t> { static constexpr DType value = DType::i16; };
template <> struct DTypeOf<std::int32_t> { static constexpr DType value = DType::i32; };
template <> struct DTypeOf<std::int64_t> { static constexpr DType value = DType::i64; };
template <> struct DTypeOf<float> { static constexpr DType value = DType::f32; };
template <> struct DTypeOf<double> { static constexpr DType value = DType::f64; };
template <> struct DTypeOf<bool> { static constexpr DType value = DType::boolean; };
// clang-format on

/// Up to 8 dimensions, stored inline. In a Signature -1 stands for "any"; a Tensor has none.
class Shape {
 public:
  static constexpr std::size_t kMaxRank = 8;

  Shape() noexcept = default;
  /// Throws ConfigError beyond 8 dimensions; use make() for shapes that come from outside.
  Shape(std::initializer_list<std::int64_t> dims);
  static Result<Shape> make(std::span<const std::int64_t> dims);

  std::size_t rank() const noexcept { return rank_; }
  std::int64_t operator[](std::size_t i) const noexcept { return dims_[i]; }
  std::span<const std::int64_t> dims() const noexcept { return {dims_.data(), rank_}; }
  /// Product of the dimensions (1 for a scalar); invalid_argument if one is negative or the
  /// product overflows.
  Result<std::size_t> elements() const;
  /// The same shape with `count` in front.
  Result<Shape> prepended(std::int64_t count) const;
  /// Without the first dimension; a scalar stays a scalar.
  Shape without_first() const noexcept;
  /// "[1, 28, 28]"
  std::string to_string() const;

  friend bool operator==(const Shape& a, const Shape& b) noexcept {
    return std::equal(a.dims().begin(), a.dims().end(), b.dims().begin(), b.dims().end());
  }

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  std::size_t rank_ = 0;
};

enum class Device : std::uint8_t { cpu, cuda };

class Tensor {
 public:
  /// Empty: no elements, shape [0].
  Tensor() noexcept;
  /// The bytes themselves: uint8, one dimension. Implicit, as nothing is lost: what a job or a
  /// request body holds is given to a function of tensors as it is.
  Tensor(Bytes payload) noexcept;

  /// Copies the payload only if it is not aligned for `dtype`. Not for strings: see from_strings().
  static Result<Tensor> make(DType dtype, Shape shape, Bytes payload);
  template <class T>
  static Result<Tensor> from(Shape shape, std::span<const T> values) {
    return make(DTypeOf<T>::value, shape, Bytes::copy(std::as_bytes(values)));
  }
  template <class T>
  static Result<Tensor> from(Shape shape, std::initializer_list<T> values) {
    return from(shape, std::span<const T>(values.begin(), values.size()));
  }
  static Result<Tensor> from_strings(Shape shape, std::span<const std::string_view> values);

  DType dtype() const noexcept { return dtype_; }
  const Shape& shape() const noexcept { return shape_; }
  const Bytes& payload() const noexcept { return payload_; }
  Device device() const noexcept { return Device::cpu; }
  std::size_t elements() const noexcept { return elements_; }

  /// The elements; empty when T is not the element type.
  template <class T>
  std::span<const T> data() const noexcept {
    if (DTypeOf<T>::value != dtype_ || elements_ == 0) return {};
    return {reinterpret_cast<const T*>(payload_.data()), elements_};
  }
  /// Element i of a string tensor; empty when out of range.
  std::string_view string_at(std::size_t i) const noexcept;

  /// The same payload under another shape of as many elements.
  Result<Tensor> reshaped(Shape shape) const;
  /// Compacts the payload (see Bytes::compact).
  Tensor compact() const;

 private:
  Tensor(DType dtype, Shape shape, std::size_t elements, Bytes payload) noexcept
      : payload_(std::move(payload)), shape_(shape), elements_(elements), dtype_(dtype) {}

  Bytes payload_;
  Shape shape_;
  std::size_t elements_ = 0;
  DType dtype_ = DType::u8;
};

class NamedTensor {
 public:
  NamedTensor(std::string name, Tensor tensor) noexcept
      : name_(std::move(name)), tensor_(std::move(tensor)) {}
  const std::string& name() const noexcept { return name_; }
  const Tensor& tensor() const noexcept { return tensor_; }

 private:
  std::string name_;
  Tensor tensor_;
};

/// Few entries: looked up by walking.
class TensorSet {
 public:
  TensorSet() = default;
  explicit TensorSet(std::vector<NamedTensor> items) noexcept : items_(std::move(items)) {}
  void add(std::string name, Tensor tensor) {
    items_.emplace_back(std::move(name), std::move(tensor));
  }
  const Tensor* find(std::string_view name) const noexcept;
  std::span<const NamedTensor> items() const noexcept { return items_; }

 private:
  std::vector<NamedTensor> items_;
};

}  // namespace aiserve::inline v0
