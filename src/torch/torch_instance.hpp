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
  IntraOpThreads threads_;
  const TorchModelOptions& options_;
  std::unique_ptr<ScriptModule> module_;
  std::vector<InputSlab> inputs_;
  std::vector<OutputSlab> outputs_;
};

}  // namespace aiserve::inline v0::detail
