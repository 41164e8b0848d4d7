#include "serving/batch_builder.hpp"

#include <cstring>

namespace aiserve::inline v0 {

void Batch::fail(std::size_t row, Error error) { failures_.at(row) = std::move(error); }

bool Batch::cancelled(std::size_t row) const noexcept {
  return entries_[row] != nullptr && !entries_[row]->pending();
}

namespace detail {

BatchBuilder::BatchBuilder(const Signature& signature, std::size_t max_batch)
    : signature_(signature), max_batch_(max_batch) {
  input_slabs_.resize(signature.inputs.size());
  output_blocks_.resize(signature.outputs.size());
  frozen_.resize(signature.outputs.size());
  batch_.signature_ = &signature_;
  batch_.inputs_.resize(signature.inputs.size());
  batch_.outputs_.resize(signature.outputs.size());
}

void BatchBuilder::begin(std::size_t rows) {
  batch_.entries_.assign(rows, nullptr);
  batch_.failures_.assign(rows, std::nullopt);
  for (std::size_t i = 0; i < signature_.outputs.size(); ++i) {
    output_blocks_[i] = MutableBytes(rows * signature_.outputs[i].row_bytes());
    batch_.outputs_[i] = output_blocks_[i].span();
  }
}

Batch& BatchBuilder::gather(std::span<const EntryPtr> entries) {
  begin(entries.size());
  for (std::size_t row = 0; row < entries.size(); ++row) batch_.entries_[row] = entries[row].get();
  for (std::size_t i = 0; i < signature_.inputs.size(); ++i) take_input(i, entries);
  return batch_;
}

void BatchBuilder::take_input(std::size_t index, std::span<const EntryPtr> entries) {
  if (entries.size() == 1) {
    batch_.inputs_[index] = entries.front()->input_at(index).payload().view();
    return;
  }
  const std::size_t row_bytes = signature_.inputs[index].row_bytes();
  MutableBytes& slab = input_slabs_[index];
  if (slab.size() == 0) slab = MutableBytes(max_batch_ * row_bytes);
  for (std::size_t row = 0; row < entries.size(); ++row) {
    std::memcpy(slab.data() + row * row_bytes, entries[row]->input_at(index).payload().data(),
                row_bytes);
  }
  batch_.inputs_[index] = slab.span().first(entries.size() * row_bytes);
}

Batch& BatchBuilder::gather_zeros(std::size_t rows) {
  begin(rows);
  for (std::size_t i = 0; i < signature_.inputs.size(); ++i) {
    const std::size_t row_bytes = signature_.inputs[i].row_bytes();
    if (input_slabs_[i].size() == 0) input_slabs_[i] = MutableBytes(max_batch_ * row_bytes);
    const auto bytes = input_slabs_[i].span().first(rows * row_bytes);
    std::memset(bytes.data(), 0, bytes.size());
    batch_.inputs_[i] = bytes;
  }
  return batch_;
}

Result<Tensor> BatchBuilder::row_of(std::size_t output, std::size_t row) const {
  const TensorSpec& spec = signature_.outputs[output];
  return Tensor::make(spec.dtype(), spec.row_shape(),
                      frozen_[output].slice(row * spec.row_bytes(), spec.row_bytes()));
}

void BatchBuilder::scatter(std::span<const EntryPtr> entries, const Result<void>& ran) {
  for (std::size_t i = 0; i < frozen_.size(); ++i) {
    frozen_[i] = std::move(output_blocks_[i]).freeze();
  }
  for (std::size_t row = 0; row < entries.size(); ++row) {
    BatchEntry& entry = *entries[row];
    if (!ran) {
      entry.output = ran.error();
    } else if (batch_.failures_[row]) {
      entry.output = std::move(*batch_.failures_[row]);
    } else {
      entry.output = row_of(0, row);
      for (std::size_t i = 1; i < frozen_.size() && entry.output.ok(); ++i) {
        entry.more_outputs.push_back(row_of(i, row).value());
      }
    }
  }
  for (Bytes& block : frozen_) block = Bytes();
}

}  // namespace detail
}  // namespace aiserve::inline v0
