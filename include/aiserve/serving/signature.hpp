/// Signature: what a model takes and gives, by name, element type and shape.
///
/// Shapes are those of a whole batch: the first dimension is -1 (any number of rows), the others
/// say what one row looks like. A request carries one row: shape [1, 28, 28] (or [1, 1, 28, 28])
/// for an input of [-1, 1, 28, 28]. Other dimensions may be -1 as well: any length (shapes.hpp).
/// The k-th such dimension of an output is as long as the k-th of the first input that has one.
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
  /// Of one row; -1 where any length goes.
  Shape row_shape() const noexcept { return shape_.without_first(); }
  /// How many dimensions of a row may have any length.
  std::size_t variable_dims() const noexcept;
  /// Bytes of one row; 0 for rows of any length, and until validate() has accepted the signature.
  std::size_t row_bytes() const noexcept;

  /// The largest row of any length, in bytes; fixed rows may have 2 GiB.
  static constexpr std::size_t kMaxVariableRow = std::size_t{1} << 28U;
  /// Checks a request's tensor against one row. Errors: invalid_argument, naming the input;
  /// too_large beyond kMaxVariableRow.
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

  /// Whether an input has dimensions of any length besides the first.
  bool variable() const noexcept;
  /// At least one input and output, unique names, first dimension -1, the others -1 or above zero,
  /// no output with more dimensions of any length than the first input that has some, no strings.
  /// Errors: invalid_argument.
  Result<void> validate() const;
  std::string to_string() const;
};

}  // namespace aiserve::inline v0
