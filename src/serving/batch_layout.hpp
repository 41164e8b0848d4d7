// BatchLayout: how the rows of one batch lie in the slabs of its inputs and outputs.
#pragma once

#include "serving/shape_rules.hpp"
#include "serving/tensor_row.hpp"

namespace aiserve::inline v0::detail {

// The real elements of a row: `parts` runs of `bytes`, their beginnings `stride` apart.
struct RowPlace {
  std::size_t offset = 0;
  std::size_t parts = 1;
  std::size_t bytes = 0;
  std::size_t stride = 0;

  std::size_t size() const noexcept { return parts * bytes; }
  bool contiguous() const noexcept { return parts == 1 || bytes == stride; }
};

struct SlabLayout {
  const TensorSpec* spec = nullptr;
  // Padded or ragged along `dim`: a row has as much as it is long. Otherwise all rows are alike.
  bool by_length = false;
  std::size_t dim = 0;
  Shape row{};            // of a row, as the rows of this batch are laid out
  std::size_t parts = 1;  // of a row
  std::size_t step = 0;   // bytes: of a part for each unit of length, or of a whole row
};

// Units of length (tokens) in the rows of a batch, and what they were filled up with.
struct Padding {
  std::uint64_t elements_real = 0;
  std::uint64_t elements_padded = 0;
};

class BatchLayout {
 public:
  explicit BatchLayout(const ShapeRules& rules);

  // `pad_to`: rows are filled up to that at least (padded).
  void measure(std::span<TensorRow* const> rows, std::int64_t pad_to);
  // Rows of nobody; each dimension of any length is `length`.
  void measure_alike(std::size_t rows, std::int64_t length);

  std::size_t rows() const noexcept { return rows_; }
  std::int64_t length(std::size_t row) const noexcept { return fixed_ ? 0 : lengths_[row]; }
  std::int64_t padded_length() const noexcept { return padded_; }
  std::span<const std::int64_t> offsets() const noexcept { return offsets_; }
  Padding padding() const noexcept;

  const SlabLayout& input(std::size_t index) const noexcept { return inputs_[index]; }
  const SlabLayout& output(std::size_t index) const noexcept { return outputs_[index]; }
  // Of the whole slab.
  std::size_t bytes(const SlabLayout& slab) const noexcept;
  Shape shape(const SlabLayout& slab) const;
  // Of one row, without padding.
  RowPlace place(const SlabLayout& slab, std::size_t row) const noexcept;
  Shape row_shape(const SlabLayout& slab, std::size_t row) const;

 private:
  SlabLayout laid_out(const TensorSpec& spec) const;
  void set_sizes(SlabLayout& slab, std::span<const std::int64_t> sizes);
  void set_exact(std::span<TensorRow* const> rows);
  void set_lengths();

  const ShapeRules& rules_;
  bool fixed_;
  bool ragged_;
  std::size_t rows_ = 0;
  std::int64_t padded_ = 0;
  std::vector<std::int64_t> lengths_;
  std::vector<std::int64_t> offsets_;  // ragged: rows + 1
  std::vector<SlabLayout> inputs_;
  std::vector<SlabLayout> outputs_;
};

}  // namespace aiserve::inline v0::detail
