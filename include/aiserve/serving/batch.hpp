/// Batch: the rows that a model computes in one call.
///
/// Inputs and outputs are slabs: row after row, contiguous, 64-byte aligned, one slab per input or
/// output of the signature. The model reads the inputs, writes the outputs, and may fail single
/// rows; all other rows succeed.
/// *Thread safety:* the worker thread that runs it; cancelled() may change under it.
///
///     auto in = batch.input<float>();    // size() * 784 floats
///     auto out = batch.output<float>();  // size() * 10 floats
#pragma once

#include <aiserve/core/error.hpp>
#include <aiserve/core/tensor.hpp>
#include <aiserve/serving/signature.hpp>

#include <optional>
#include <span>
#include <vector>

namespace aiserve::inline v0 {

namespace detail {
class BatchBuilder;
class BatchEntry;
}  // namespace detail

class Batch {
 public:
  std::size_t size() const noexcept { return entries_.size(); }

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

  /// Fails one row; its output is not looked at.
  void fail(std::size_t row, Error error);
  /// True once nobody waits for this row any more: a long computation may skip it.
  bool cancelled(std::size_t row) const noexcept;

 private:
  friend class detail::BatchBuilder;
  Batch() = default;

  const Signature* signature_ = nullptr;
  std::vector<ByteView> inputs_;
  std::vector<std::span<std::byte>> outputs_;
  std::vector<detail::BatchEntry*> entries_;  // null while warming up
  std::vector<std::optional<Error>> failures_;
};

}  // namespace aiserve::inline v0
