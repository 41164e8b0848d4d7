#include "torch/torch_instance.hpp"

namespace aiserve::inline v0::detail {

TorchInstance::TorchInstance(std::unique_ptr<ScriptModule> module, const TorchModelOptions& options)
    : threads_(options.intra_op_threads), options_(options), module_(std::move(module)) {}

// Rejected rows are computed with the others: taking them out would cost a copy of the slab.
Result<void> TorchInstance::run(Batch& batch) {
  if (options_.nan_inputs == NanPolicy::reject && batch.reject_nan_inputs() == batch.size()) {
    return success();
  }
  inputs_.clear();
  outputs_.clear();
  const Signature& signature = batch.signature();
  for (std::size_t i = 0; i < signature.inputs.size(); ++i) {
    if (!batch.offsets(i).empty()) {
      return Error(Errc::unimplemented, "TorchScript models take no ragged batches");
    }
    inputs_.push_back({batch.input_shape(i), batch.input_bytes(i)});
  }
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    outputs_.push_back({batch.output_shape(i), batch.output_bytes(i)});
  }
  if (Result<void> ran = module_->forward(inputs_, outputs_); !ran) return ran;
  if (options_.nan_outputs == NanPolicy::reject) batch.reject_nan_outputs();
  return success();
}

}  // namespace aiserve::inline v0::detail
