// One module on its worker thread: policies around ScriptModule::forward.
#pragma once

#include <memory>
#include <vector>

#include "aiserve/serving/model.hpp"
#include "aiserve/torch/torch_model.hpp"
#include "torch/script_module.hpp"

namespace aiserve::inline v0::detail {

class TorchInstance final : public ModelInstance {
 public:
  // Created on the thread that runs it. `options` outlives it.
  TorchInstance(std::unique_ptr<ScriptModule> module, const TorchModelOptions& options);

  Result<void> run(Batch& batch) override;

 private:
  void reject_nan_inputs(Batch& batch);
  void reject_nan_outputs(Batch& batch);
  // Fails a row once; the first reason stays.
  void reject(Batch& batch, std::size_t row, Error error);

  IntraOpThreads threads_;
  const TorchModelOptions& options_;
  std::unique_ptr<ScriptModule> module_;
  std::vector<ByteView> inputs_;
  std::vector<std::span<std::byte>> outputs_;
  std::vector<bool> rejected_;  // by row
  std::size_t rejected_rows_ = 0;
};

}  // namespace aiserve::inline v0::detail
