// ShapeRules: a signature and its ShapeOptions, checked against each other, and what they say of a
// request: which tensors it brings and how long it is.
#pragma once

#include <limits>
#include <span>

#include "aiserve/serving/shapes.hpp"
#include "aiserve/serving/signature.hpp"
#include "serving/element.hpp"

namespace aiserve::inline v0::detail {

// The sizes of the row that `tensor` holds, with or without its leading 1.
inline std::span<const std::int64_t> row_dims(const TensorSpec& spec,
                                              const Tensor& tensor) noexcept {
  return tensor.shape().dims().last(spec.shape().rank() - 1);
}

// Where in a row its first dimension of any length is; the row's rank if there is none.
std::size_t first_variable(const TensorSpec& spec) noexcept;

class ShapeRules {
 public:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  // `signature` is valid and outlives this. Throws ConfigError "shapes.OPTION: ...".
  ShapeRules(const Signature& signature, ShapeOptions options);

  const Signature& signature() const noexcept { return signature_; }
  const ShapeOptions& options() const noexcept { return options_; }
  ShapeMode mode() const noexcept { return options_.mode; }
  // All requests have the same shapes: nothing of this applies.
  bool fixed() const noexcept { return leader_ == kNone; }

  // The input that the batcher fills, or kNone.
  std::size_t mask() const noexcept { return mask_; }
  // How many tensors a request brings.
  std::size_t brought() const noexcept {
    return signature_.inputs.size() - (mask_ == kNone ? 0 : 1);
  }
  // Among the tensors that a request brings; not for the mask.
  std::size_t request_index(std::size_t input) const noexcept {
    return input > mask_ ? input - 1 : input;
  }
  // The first input of any length that requests bring; kNone if fixed().
  std::size_t leader() const noexcept { return leader_; }

  // What a request has checked tensors for; 0 if fixed(). Errors: invalid_argument if inputs are
  // not equally long although they must.
  Result<std::int64_t> length(const Tensor& first, std::span<const Tensor> more) const;
  // Without looking at the others.
  std::int64_t length_of(const Tensor& leader) const noexcept {
    return row_dims(signature_.inputs[leader_], leader)[leader_dim_];
  }

  // What input `index` is filled up with.
  const Element& padding(std::size_t index) const noexcept { return padding_[index]; }

 private:
  void find_mask();
  void find_leader();
  void check_tensors() const;
  void check_edges() const;

  const Signature& signature_;
  ShapeOptions options_;
  std::size_t mask_ = kNone;
  std::size_t leader_ = kNone;
  std::size_t leader_dim_ = 0;
  std::vector<Element> padding_;
};

}  // namespace aiserve::inline v0::detail
