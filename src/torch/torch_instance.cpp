#include "torch/torch_instance.hpp"

#include "torch/nan_scan.hpp"

namespace aiserve::inline v0::detail {
namespace {

// Calls `found(row)` for each row with a NaN. One pass over the slab decides the usual case.
template <class Found>
void for_rows_with_nan(const TensorSpec& spec, ByteView slab, const Found& found) {
  if (!has_nan(spec.dtype(), slab)) return;
  const std::size_t row_bytes = spec.row_bytes();
  for (std::size_t row = 0; row * row_bytes < slab.size(); ++row) {
    if (has_nan(spec.dtype(), slab.subspan(row * row_bytes, row_bytes))) found(row);
  }
}

}  // namespace

TorchInstance::TorchInstance(std::unique_ptr<ScriptModule> module, const TorchModelOptions& options)
    : threads_(options.intra_op_threads), options_(options), module_(std::move(module)) {}

// Rejected rows are computed with the others: taking them out would cost a copy of the slab.
Result<void> TorchInstance::run(Batch& batch) {
  rejected_.assign(batch.size(), false);
  rejected_rows_ = 0;
  if (options_.nan_inputs == NanPolicy::reject) reject_nan_inputs(batch);
  if (rejected_rows_ == batch.size()) return success();

  inputs_.clear();
  outputs_.clear();
  const Signature& signature = batch.signature();
  for (std::size_t i = 0; i < signature.inputs.size(); ++i) inputs_.push_back(batch.input_bytes(i));
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    outputs_.push_back(batch.output_bytes(i));
  }
  if (Result<void> ran = module_->forward(batch.size(), inputs_, outputs_); !ran) return ran;
  if (options_.nan_outputs == NanPolicy::reject) reject_nan_outputs(batch);
  return success();
}

void TorchInstance::reject_nan_inputs(Batch& batch) {
  const std::vector<TensorSpec>& specs = batch.signature().inputs;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    for_rows_with_nan(specs[i], batch.input_bytes(i), [&](std::size_t row) {
      reject(batch, row,
             Error(Errc::invalid_argument, "input '" + specs[i].name() + "' holds NaN"));
    });
  }
}

void TorchInstance::reject_nan_outputs(Batch& batch) {
  const std::vector<TensorSpec>& specs = batch.signature().outputs;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    for_rows_with_nan(specs[i], batch.output_bytes(i), [&](std::size_t row) {
      reject(batch, row, Error(Errc::internal, "the model computed NaN for this input"));
    });
  }
}

void TorchInstance::reject(Batch& batch, std::size_t row, Error error) {
  if (rejected_[row]) return;
  rejected_[row] = true;
  ++rejected_rows_;
  batch.fail(row, std::move(error));
}

}  // namespace aiserve::inline v0::detail
