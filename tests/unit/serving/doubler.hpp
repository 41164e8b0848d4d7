// A model for tests: doubles one float, and can be told to fail or to wait.
#pragma once

#include <atomic>
#include <future>
#include <mutex>
#include <vector>

#include "aiserve/serving/batcher.hpp"

namespace aiserve::testing {

struct Doubler {
  /// Rows with these values fail, throw, or poison the whole batch.
  static constexpr float kFail = -1, kThrow = -2;

  explicit Doubler(int instances = 1)
      : model({.name = "doubler",
               .signature = {{TensorSpec("x", DType::f32, {-1, 1})},
                             {TensorSpec("y", DType::f32, {-1, 1})}},
               .instances = instances},
              [this](Batch& batch) { return run(batch); }) {}

  Result<void> run(Batch& batch) {
    if (gate) gate(batch);
    {
      const std::scoped_lock lock(mutex);
      batch_sizes.push_back(batch.size());
    }
    const auto in = batch.input<float>();
    const auto out = batch.output<float>();
    for (std::size_t row = 0; row < batch.size(); ++row) {
      if (in[row] == kThrow) throw std::runtime_error("poison");
      if (in[row] == kFail) batch.fail(row, Error(Errc::data_loss, "bad row"));
      out[row] = factor * in[row];
      ++computed;
    }
    return success();
  }

  static Tensor input(float value) { return Tensor::from<float>({1}, {value}).value(); }

  float factor = 2;
  std::function<void(Batch&)> gate;
  std::atomic<int> computed{0};
  std::mutex mutex;
  std::vector<std::size_t> batch_sizes;
  CallableModel model;
};

}  // namespace aiserve::testing
