// BatchBuilder: gathers the rows of requests into slabs and scatters the results.
//
// The input slabs are kept from batch to batch; a batch of one that needs no padding is passed in
// place. Outputs are slices of one block per output, or copies where padding lies inside of a row.
// A batch can be gathered again in parts, in any order: each gather() forgets the one before.
#pragma once

#include "aiserve/serving/batch.hpp"
#include "serving/batch_layout.hpp"
#include "serving/slab.hpp"

namespace aiserve::inline v0::detail {

class BatchBuilder {
 public:
  // Throws ConfigError as ShapeRules does.
  BatchBuilder(const Signature& signature, std::size_t max_batch, ShapeOptions shapes = {});
  BatchBuilder(const BatchBuilder&) = delete;
  BatchBuilder& operator=(const BatchBuilder&) = delete;

  // At least one row, from one lane of the ShapeRouter; they stay with the caller until scatter().
  // `pad_to`: what ShapeRouter::pad_to says of the lane.
  Batch& gather(std::span<TensorRow* const> rows, std::int64_t pad_to = 0);
  // Zero-filled rows that belong to nobody; dimensions of any length are `length`.
  Batch& gather_zeros(std::size_t rows, std::int64_t length = 1);
  // Gives every row of the last gather() its outputs, or its error; `ran` is the outcome of the
  // whole run.
  void scatter(std::span<TensorRow* const> rows, const Result<void>& ran,
               NanPolicy nan_outputs = NanPolicy::allow);

  const ShapeRules& rules() const noexcept { return rules_; }
  // Of the last gather().
  Padding padding() const noexcept { return layout_.padding(); }

 private:
  void begin();
  void take_input(std::size_t index, std::span<TensorRow* const> rows);
  void copy_row(std::size_t index, std::size_t row, const Bytes& payload,
                std::span<std::byte> slab);
  void fill_mask();
  Result<Tensor> row_of(std::size_t output, std::size_t row) const;
  void give(TensorRow& row, std::size_t index) const;

  ShapeRules rules_;
  BatchLayout layout_;
  std::vector<Slab> slabs_;
  std::vector<MutableBytes> output_blocks_;
  std::vector<Bytes> frozen_;
  Batch batch_;
};

}  // namespace aiserve::inline v0::detail
