#include "batching/direct_model.hpp"

#include <cstring>

#include <ATen/Parallel.h>
#include <torch/script.h>

namespace bench {

struct DirectModel::Impl {
  torch::jit::Module module;
};

DirectModel::DirectModel(const std::string& path) : impl_(std::make_unique<Impl>()) {
  at::set_num_threads(1);
  torch::jit::Module module = torch::jit::load(path);
  module.eval();
  impl_->module = torch::jit::optimize_for_inference(module);
}

DirectModel::~DirectModel() = default;

void DirectModel::run(std::span<const float> input, std::size_t rows, std::span<float> output) {
  const c10::InferenceMode no_gradients;
  auto* data = const_cast<float*>(input.data());  // from_blob takes no const
  const at::Tensor images = at::from_blob(data, {static_cast<std::int64_t>(rows), 1, 28, 28});
  const at::Tensor result = impl_->module.forward({images}).toTensor().contiguous();
  std::memcpy(output.data(), result.data_ptr<float>(), rows * 10 * sizeof(float));
}

}  // namespace bench
