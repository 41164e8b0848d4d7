#include "aiserve/serving/batch.hpp"

#include <algorithm>

#include "serving/batch_layout.hpp"
#include "serving/nan_scan.hpp"

namespace aiserve::inline v0 {
namespace {

using detail::BatchLayout;
using detail::SlabLayout;

bool row_has_nan(const BatchLayout& layout, const SlabLayout& slab, ByteView bytes,
                 std::size_t row) noexcept {
  const detail::RowPlace place = layout.place(slab, row);
  for (std::size_t part = 0; part < place.parts; ++part) {
    const std::size_t begin = place.offset + part * place.stride;
    if (detail::has_nan(slab.spec->dtype(), bytes.subspan(begin, place.bytes))) return true;
  }
  return false;
}

// Calls `found(row)` for each row with a NaN. One pass over the slab decides the usual case.
template <class Found>
void for_rows_with_nan(const BatchLayout& layout, const SlabLayout& slab, ByteView bytes,
                       const Found& found) {
  if (!detail::has_nan(slab.spec->dtype(), bytes)) return;
  for (std::size_t row = 0; row < layout.rows(); ++row) {
    if (row_has_nan(layout, slab, bytes, row)) found(row);
  }
}

}  // namespace

Shape Batch::input_shape(std::size_t index) const { return layout_->shape(layout_->input(index)); }
Shape Batch::output_shape(std::size_t index) const {
  return layout_->shape(layout_->output(index));
}
std::int64_t Batch::length(std::size_t row) const noexcept { return layout_->length(row); }
std::int64_t Batch::padded_length() const noexcept { return layout_->padded_length(); }

std::span<const std::int64_t> Batch::offsets(std::size_t input) const noexcept {
  if (!layout_->input(input).by_length) return {};
  return layout_->offsets();
}

void Batch::fail(std::size_t row, Error error) { failures_.at(row) = std::move(error); }

std::size_t Batch::reject_nan_inputs() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    for_rows_with_nan(*layout_, layout_->input(i), inputs_[i], [&](std::size_t row) {
      if (failures_[row]) return;
      fail(row,
           Error(Errc::invalid_argument, "input '" + signature_->inputs[i].name() + "' holds NaN"));
    });
  }
  return failed_rows();
}

std::size_t Batch::reject_nan_outputs() {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    for_rows_with_nan(*layout_, layout_->output(i), outputs_[i], [&](std::size_t row) {
      if (failures_[row]) return;
      fail(row, Error(Errc::internal, "the model computed NaN for this input"));
    });
  }
  return failed_rows();
}

std::size_t Batch::failed_rows() const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(failures_, [](const auto& failure) { return failure.has_value(); }));
}

bool Batch::cancelled(std::size_t row) const noexcept {
  const detail::TensorRow* entry = rows_[row];
  return entry != nullptr && entry->gone != nullptr && entry->gone(*entry);
}

bool Batch::all_cancelled() const noexcept {
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (!cancelled(row)) return false;
  }
  return true;
}

}  // namespace aiserve::inline v0
