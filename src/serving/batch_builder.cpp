#include "serving/batch_builder.hpp"

#include <cstring>

namespace aiserve::inline v0::detail {
namespace {

constexpr std::size_t kAlignment = 64;

bool aligned(const Bytes& payload) noexcept {
  return reinterpret_cast<std::uintptr_t>(payload.data()) % kAlignment == 0;
}

}  // namespace

BatchBuilder::BatchBuilder(const Signature& signature, std::size_t max_batch, ShapeOptions shapes)
    : rules_(signature, std::move(shapes)), layout_(rules_) {
  slabs_.resize(signature.inputs.size());
  output_blocks_.resize(signature.outputs.size());
  frozen_.resize(signature.outputs.size());
  batch_.signature_ = &signature;
  batch_.layout_ = &layout_;
  batch_.inputs_.resize(signature.inputs.size());
  batch_.outputs_.resize(signature.outputs.size());
  batch_.rows_.reserve(max_batch);
  batch_.failures_.reserve(max_batch);
}

void BatchBuilder::begin() {
  batch_.failures_.assign(layout_.rows(), std::nullopt);
  for (std::size_t i = 0; i < output_blocks_.size(); ++i) {
    output_blocks_[i] = MutableBytes(layout_.bytes(layout_.output(i)));
    batch_.outputs_[i] = output_blocks_[i].span();
  }
}

Batch& BatchBuilder::gather(std::span<TensorRow* const> rows, std::int64_t pad_to) {
  layout_.measure(rows, pad_to);
  batch_.rows_.assign(rows.begin(), rows.end());
  begin();
  for (std::size_t i = 0; i < slabs_.size(); ++i) {
    if (i != rules_.mask()) take_input(i, rows);
  }
  fill_mask();
  return batch_;
}

void BatchBuilder::take_input(std::size_t index, std::span<TensorRow* const> rows) {
  const std::size_t brought = rules_.request_index(index);
  const std::size_t bytes = layout_.bytes(layout_.input(index));
  const Bytes& only = rows.front()->input_at(brought).payload();
  if (rows.size() == 1 && only.size() == bytes && aligned(only)) {
    slabs_[index].take(0);
    batch_.inputs_[index] = only.view();
    return;
  }
  const std::span<std::byte> slab = slabs_[index].take(bytes);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    copy_row(index, row, rows[row]->input_at(brought).payload(), slab);
  }
  batch_.inputs_[index] = slab;
}

void BatchBuilder::copy_row(std::size_t index, std::size_t row, const Bytes& payload,
                            std::span<std::byte> slab) {
  const RowPlace place = layout_.place(layout_.input(index), row);
  std::byte* target = slab.data() + place.offset;
  if (payload.size() != place.size()) {  // a shape that is not of this batch must not do harm
    std::memset(target, 0, place.parts * place.stride);
    return batch_.fail(row, Error(Errc::internal, "a row of another shape"));
  }
  if (place.contiguous()) {
    std::memcpy(target, payload.data(), payload.size());
  } else {
    for (std::size_t part = 0; part < place.parts; ++part) {
      std::memcpy(target + part * place.stride, payload.data() + part * place.bytes, place.bytes);
    }
  }
  if (place.bytes == place.stride) return;
  for (std::size_t part = 0; part < place.parts; ++part) {
    fill_elements({target + part * place.stride + place.bytes, place.stride - place.bytes},
                  rules_.padding(index));
  }
}

void BatchBuilder::fill_mask() {
  const std::size_t index = rules_.mask();
  if (index == ShapeRules::kNone) return;
  const SlabLayout& mask = layout_.input(index);
  const std::span<std::byte> slab = slabs_[index].take(layout_.bytes(mask));
  std::memset(slab.data(), 0, slab.size());
  const Element one = *encode_element(mask.spec->dtype(), 1);
  for (std::size_t row = 0; row < layout_.rows(); ++row) {
    const RowPlace place = layout_.place(mask, row);
    for (std::size_t part = 0; part < place.parts; ++part) {
      fill_elements(slab.subspan(place.offset + part * place.stride, place.bytes), one);
    }
  }
  batch_.inputs_[index] = slab;
}

Batch& BatchBuilder::gather_zeros(std::size_t rows, std::int64_t length) {
  layout_.measure_alike(rows, length);
  batch_.rows_.assign(rows, nullptr);
  begin();
  for (std::size_t i = 0; i < slabs_.size(); ++i) {
    if (i == rules_.mask()) continue;
    const std::span<std::byte> slab = slabs_[i].take(layout_.bytes(layout_.input(i)));
    std::memset(slab.data(), 0, slab.size());
    batch_.inputs_[i] = slab;
  }
  fill_mask();
  return batch_;
}

Result<Tensor> BatchBuilder::row_of(std::size_t output, std::size_t row) const {
  const SlabLayout& slab = layout_.output(output);
  const RowPlace place = layout_.place(slab, row);
  const Shape shape = layout_.row_shape(slab, row);
  if (place.contiguous()) {
    return Tensor::make(slab.spec->dtype(), shape,
                        frozen_[output].slice(place.offset, place.size()));
  }
  MutableBytes own(place.size());
  for (std::size_t part = 0; part < place.parts; ++part) {
    std::memcpy(own.data() + part * place.bytes,
                frozen_[output].data() + place.offset + part * place.stride, place.bytes);
  }
  return Tensor::make(slab.spec->dtype(), shape, std::move(own).freeze());
}

void BatchBuilder::give(TensorRow& row, std::size_t index) const {
  row.output = row_of(0, index);
  row.more_outputs.clear();
  for (std::size_t i = 1; i < frozen_.size() && row.output.ok(); ++i) {
    row.more_outputs.push_back(row_of(i, index).value());
  }
}

void BatchBuilder::scatter(std::span<TensorRow* const> rows, const Result<void>& ran,
                           NanPolicy nan_outputs) {
  if (ran && nan_outputs == NanPolicy::reject) batch_.reject_nan_outputs();
  for (std::size_t i = 0; i < frozen_.size(); ++i) {
    frozen_[i] = std::move(output_blocks_[i]).freeze();
  }
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (!ran) {
      rows[row]->output = ran.error();
    } else if (batch_.failures_[row]) {
      rows[row]->output = std::move(*batch_.failures_[row]);
    } else {
      give(*rows[row], row);
    }
  }
  for (Bytes& block : frozen_) block = Bytes();
}

}  // namespace aiserve::inline v0::detail
