#include "unit/torch/script_files.hpp"

#include <cmath>
#include <fstream>
#include <thread>

#include <ATen/Parallel.h>
#include <torch/script.h>

namespace aiserve::inline v0::testing {

void save_script(const std::string& path, const std::string& source,
                 const std::vector<Weight>& weights) {
  torch::jit::Module module("model");
  float phase = 1;
  for (const Weight& weight : weights) {
    at::Tensor values = at::zeros(weight.shape);
    float* data = values.data_ptr<float>();
    for (std::int64_t i = 0; i < values.numel(); ++i, phase += 1) {
      data[i] = 0.3F * std::sin(phase * phase);
    }
    module.register_parameter(weight.name, values, false);
  }
  module.define(source);
  module.save(path);
}

void save_tensor_archive(const std::string& path) {
  const std::vector<char> bytes = torch::jit::pickle_save(at::ones({2, 3}));
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::vector<float> run_script(const std::string& path, const std::vector<std::int64_t>& shape,
                              std::span<const float> input) {
  const c10::InferenceMode no_gradients;
  torch::jit::Module module = torch::jit::load(path);
  module.eval();
  const at::Tensor tensor = at::from_blob(const_cast<float*>(input.data()), shape);
  const at::Tensor output = module.forward({tensor}).toTensor().contiguous();
  return {output.data_ptr<float>(), output.data_ptr<float>() + output.numel()};
}

int threads_of_a_new_thread() {
  int threads = 0;
  std::thread([&] { threads = at::get_num_threads(); }).join();
  return threads;
}

}  // namespace aiserve::inline v0::testing
