/// Batch: the rows that a model computes in one call.
///
/// Inputs and outputs are slabs: row after row, contiguous, 64-byte aligned, one slab per input or
/// output of the signature. The model reads the inputs, writes the outputs, and may fail single
/// rows; all other rows succeed. Rows of any length are equally long, padded to one length, or
/// laid end to end, as ShapeOptions say; input_shape() and output_shape() tell.
/// *Thread safety:* the worker thread that runs it; cancelled() may change under it.
///
///     auto in = batch.input<float>();    // size() * 784 floats
///     auto out = batch.output<float>();  // size() * 10 floats
#pragma once

#include <aiserve/core/error.hpp>
#include <aiserve/core/tensor.hpp>
#include <aiserve/serving/signature.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace aiserve::inline v0 {

/// What happens to a row with a NaN in it. Infinities are always let through.
enum class NanPolicy : std::uint8_t {
  allow,   ///< nothing is looked at
  reject,  ///< that row fails, its neighbours don't; costs a pass over the data
};

namespace detail {
class BatchBuilder;
class BatchLayout;
struct TensorRow;
}  // namespace detail

class Batch {
 public:
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  std::size_t size() const noexcept { return rows_.size(); }

  ByteView input_bytes(std::size_t index = 0) const noexcept { return inputs_[index]; }
  std::span<std::byte> output_bytes(std::size_t index = 0) noexcept { return outputs_[index]; }

  /// Empty when T is not the element type of that input or output.
  template <class T>
  std::span<const T> input(std::size_t index = 0) const noexcept {
    const ByteView bytes = inputs_[index];
    if (signature_->inputs[index].dtype() != DTypeOf<T>::value) return {};
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <class T>
  std::span<T> output(std::size_t index = 0) noexcept {
    const std::span<std::byte> bytes = outputs_[index];
    if (signature_->outputs[index].dtype() != DTypeOf<T>::value) return {};
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

  const Signature& signature() const noexcept { return *signature_; }

  /// Of the whole slab, size() first; ragged: [sum of lengths, ...] for what is of any length.
  Shape input_shape(std::size_t index = 0) const;
  Shape output_shape(std::size_t index = 0) const;
  /// How long that request is, without padding; 0 if the signature is fixed.
  std::int64_t length(std::size_t row) const noexcept;
  /// How long the rows of the slabs are; 0 if the signature is fixed or the batch ragged.
  std::int64_t padded_length() const noexcept;
  /// Ragged: where each row begins in an input of any length, and at the end the sum of lengths:
  /// size() + 1 numbers in units of length. Empty for other inputs and modes.
  std::span<const std::int64_t> offsets(std::size_t input = 0) const noexcept;

  /// Fails one row; its output is not looked at.
  void fail(std::size_t row, Error error);
  /// Fail the rows that have a NaN in an input (invalid_argument) or output (internal) and have not
  /// failed yet; padding is not looked at. They return how many rows have failed altogether.
  std::size_t reject_nan_inputs();
  std::size_t reject_nan_outputs();
  /// True once nobody waits for this row any more: a long computation may skip it.
  bool cancelled(std::size_t row) const noexcept;
  /// True once nobody waits for any: a long computation may stop.
  bool all_cancelled() const noexcept;

 private:
  friend class detail::BatchBuilder;
  Batch() = default;
  std::size_t failed_rows() const noexcept;

  const Signature* signature_ = nullptr;
  const detail::BatchLayout* layout_ = nullptr;
  std::vector<ByteView> inputs_;
  std::vector<std::span<std::byte>> outputs_;
  std::vector<const detail::TensorRow*> rows_;  // null while warming up
  std::vector<std::optional<Error>> failures_;
};

}  // namespace aiserve::inline v0
