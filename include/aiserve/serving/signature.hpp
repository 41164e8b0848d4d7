/// Signature: what a model takes and gives, by name, element type and shape.
///
/// Shapes are those of a whole batch: the first dimension is -1 (any number of rows), the others
/// say what one row looks like. A request carries one row: shape [1, 28, 28] (or [1, 1, 28, 28])
/// for an input of [-1, 1, 28, 28].
/// *Thread safety:* values.
///
///     Signature signature{{TensorSpec("image", DType::f32, {-1, 1, 28, 28})},
///                         {TensorSpec("probabilities", DType::f32, {-1, 10})}};
#pragma once

#include <aiserve/core/tensor.hpp>

#include <string>
#include <vector>

namespace aiserve::inline v0 {

class TensorSpec {
 public:
  TensorSpec(std::string name, DType dtype, Shape shape) noexcept
      : name_(std::move(name)), dtype_(dtype), shape_(shape) {}

  const std::string& name() const noexcept { return name_; }
  DType dtype() const noexcept { return dtype_; }
  /// Of a batch; the first dimension is -1.
  const Shape& shape() const noexcept { return shape_; }
  /// Of one row.
  Shape row_shape() const noexcept { return shape_.without_first(); }
  /// Bytes of one row; 0 until validate() has accepted the signature.
  std::size_t row_bytes() const noexcept;

  /// Checks a request's tensor against one row. Errors: invalid_argument, naming the input.
  Result<void> check_row(const Tensor& tensor) const;
  std::string to_string() const;

 private:
  std::string name_;
  DType dtype_;
  Shape shape_;
};

struct Signature {
  std::vector<TensorSpec> inputs{};
  std::vector<TensorSpec> outputs{};

  /// At least one input and output, unique names, first dimension -1, the others fixed and above
  /// zero, no strings. Errors: invalid_argument.
  Result<void> validate() const;
  std::string to_string() const;
};

}  // namespace aiserve::inline v0
