#include "serving/batch_layout.hpp"

#include <algorithm>
#include <numeric>

namespace aiserve::inline v0::detail {
namespace {

// The signature's row with `sizes` in place of its -1, in order.
Shape filled_in(const Shape& row, std::span<const std::int64_t> sizes) {
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  for (std::size_t d = 0; d < row.rank(); ++d) {
    dims[d] = row[d];
    if (row[d] != -1) continue;
    dims[d] = sizes.front();
    sizes = sizes.subspan(1);
  }
  return *Shape::make(std::span(dims).first(row.rank()));
}

std::size_t product(std::span<const std::int64_t> dims) noexcept {
  std::size_t result = 1;
  for (const std::int64_t dim : dims) result *= static_cast<std::size_t>(dim);
  return result;
}

// The sizes of a request's tensor where the signature leaves them open.
std::span<const std::int64_t> open_sizes(const TensorSpec& spec, const Tensor& tensor,
                                         std::array<std::int64_t, Shape::kMaxRank>& storage) {
  std::size_t count = 0;
  const auto given = row_dims(spec, tensor);
  for (std::size_t d = 0; d < given.size(); ++d) {
    if (spec.shape()[d + 1] == -1) storage[count++] = given[d];
  }
  return std::span(storage).first(count);
}

}  // namespace

BatchLayout::BatchLayout(const ShapeRules& rules)
    : rules_(rules), fixed_(rules.fixed()), ragged_(rules.mode() == ShapeMode::ragged) {
  for (const TensorSpec& spec : rules.signature().inputs) inputs_.push_back(laid_out(spec));
  for (const TensorSpec& spec : rules.signature().outputs) outputs_.push_back(laid_out(spec));
}

SlabLayout BatchLayout::laid_out(const TensorSpec& spec) const {
  SlabLayout slab;
  slab.spec = &spec;
  slab.row = spec.row_shape();
  slab.step = spec.row_bytes();
  slab.by_length = spec.variable_dims() != 0 && rules_.mode() != ShapeMode::exact;
  if (!slab.by_length) return slab;
  slab.dim = first_variable(spec);
  const auto dims = spec.shape().dims().subspan(1);
  slab.parts = product(dims.first(slab.dim));
  slab.step = product(dims.subspan(slab.dim + 1)) * size_of(spec.dtype());
  return slab;
}

void BatchLayout::measure(std::span<TensorRow* const> rows, std::int64_t pad_to) {
  rows_ = rows.size();
  if (fixed_) return;
  const std::size_t leader = rules_.request_index(rules_.leader());
  lengths_.clear();
  for (const TensorRow* row : rows) lengths_.push_back(rules_.length_of(row->input_at(leader)));
  if (rules_.mode() == ShapeMode::exact) return set_exact(rows);
  padded_ = std::max(pad_to, *std::ranges::max_element(lengths_));
  set_lengths();
}

void BatchLayout::measure_alike(std::size_t rows, std::int64_t length) {
  rows_ = rows;
  if (fixed_) return;
  lengths_.assign(rows, length);
  padded_ = length;
  if (rules_.mode() != ShapeMode::exact) return set_lengths();
  std::array<std::int64_t, Shape::kMaxRank> sizes{};
  sizes.fill(length);
  for (auto* side : {&inputs_, &outputs_}) {
    for (SlabLayout& slab : *side) set_sizes(slab, sizes);
  }
}

// All rows are as the first; outputs as the signature's header says.
void BatchLayout::set_exact(std::span<TensorRow* const> rows) {
  padded_ = lengths_.front();
  std::array<std::int64_t, Shape::kMaxRank> storage{};
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (i == rules_.mask()) {
      set_sizes(inputs_[i], std::span(&padded_, 1));
      continue;
    }
    const Tensor& tensor = rows.front()->input_at(rules_.request_index(i));
    set_sizes(inputs_[i], open_sizes(*inputs_[i].spec, tensor, storage));
  }
  const std::size_t leader = rules_.leader();
  const Tensor& tensor = rows.front()->input_at(rules_.request_index(leader));
  const auto sizes = open_sizes(*inputs_[leader].spec, tensor, storage);
  for (SlabLayout& slab : outputs_) set_sizes(slab, sizes);
}

void BatchLayout::set_sizes(SlabLayout& slab, std::span<const std::int64_t> sizes) {
  if (slab.spec->variable_dims() == 0) return;
  slab.row = filled_in(slab.spec->row_shape(), sizes);
  slab.step = product(slab.row.dims()) * size_of(slab.spec->dtype());
}

void BatchLayout::set_lengths() {
  if (ragged_) {
    offsets_.assign(1, 0);
    for (const std::int64_t length : lengths_) offsets_.push_back(offsets_.back() + length);
    padded_ = 0;
  }
  for (auto* side : {&inputs_, &outputs_}) {
    for (SlabLayout& slab : *side) {
      if (slab.by_length) slab.row = filled_in(slab.spec->row_shape(), std::span(&padded_, 1));
    }
  }
}

Padding BatchLayout::padding() const noexcept {
  Padding padding;
  if (fixed_) return padding;
  for (const std::int64_t length : lengths_) {
    padding.elements_real += static_cast<std::uint64_t>(length);
  }
  if (!ragged_) {
    padding.elements_padded = rows_ * static_cast<std::uint64_t>(padded_) - padding.elements_real;
  }
  return padding;
}

std::size_t BatchLayout::bytes(const SlabLayout& slab) const noexcept {
  if (!slab.by_length) return rows_ * slab.step;
  if (ragged_) return static_cast<std::size_t>(offsets_.back()) * slab.step;
  return rows_ * slab.parts * static_cast<std::size_t>(padded_) * slab.step;
}

RowPlace BatchLayout::place(const SlabLayout& slab, std::size_t row) const noexcept {
  if (!slab.by_length) return {row * slab.step, 1, slab.step, slab.step};
  const std::size_t run = static_cast<std::size_t>(lengths_[row]) * slab.step;
  if (ragged_) return {static_cast<std::size_t>(offsets_[row]) * slab.step, 1, run, run};
  const std::size_t stride = static_cast<std::size_t>(padded_) * slab.step;
  return {row * slab.parts * stride, slab.parts, run, stride};
}

Shape BatchLayout::shape(const SlabLayout& slab) const {
  if (slab.by_length && ragged_) {
    return filled_in(slab.spec->row_shape(), std::span(&offsets_.back(), 1));
  }
  return *slab.row.prepended(static_cast<std::int64_t>(rows_));
}

Shape BatchLayout::row_shape(const SlabLayout& slab, std::size_t row) const {
  if (!slab.by_length) return slab.row;
  return filled_in(slab.spec->row_shape(), std::span(&lengths_[row], 1));
}

}  // namespace aiserve::inline v0::detail
