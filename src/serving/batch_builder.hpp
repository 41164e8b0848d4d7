// BatchBuilder: gathers the rows of entries into slabs and scatters the results. The input slabs
// are kept from batch to batch; a batch of one is passed in place. Outputs are slices of one block
// per output.
#pragma once

#include <vector>

#include "aiserve/serving/batch.hpp"
#include "serving/entry.hpp"

namespace aiserve::inline v0::detail {

class BatchBuilder {
 public:
  BatchBuilder(const Signature& signature, std::size_t max_batch);

  /// The entries stay with the caller until scatter().
  Batch& gather(std::span<const EntryPtr> entries);
  /// Zero-filled rows that belong to nobody.
  Batch& gather_zeros(std::size_t rows);
  /// Gives every entry its row, or its error; `ran` is the outcome of the whole run.
  void scatter(std::span<const EntryPtr> entries, const Result<void>& ran);

 private:
  void begin(std::size_t rows);
  void take_input(std::size_t index, std::span<const EntryPtr> entries);
  Result<Tensor> row_of(std::size_t output, std::size_t row) const;

  const Signature& signature_;
  std::size_t max_batch_;
  std::vector<MutableBytes> input_slabs_;
  std::vector<MutableBytes> output_blocks_;
  std::vector<Bytes> frozen_;
  Batch batch_;
};

}  // namespace aiserve::inline v0::detail
