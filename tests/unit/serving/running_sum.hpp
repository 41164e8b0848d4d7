// A model with a memory, for tests: each step adds its x to the sum that it carries.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "aiserve/serving/sequence_batcher.hpp"

namespace aiserve::testing {

struct RunningSum {
  /// A step with this value fails; one with that throws, and its whole batch with it.
  static constexpr float kFail = -1, kThrow = -2;

  explicit RunningSum(int instances = 1)
      : model(
            {.name = "sum",
             .signature =
                 {{TensorSpec("x", DType::f32, {-1, 1}), TensorSpec("sum_in", DType::f64, {-1, 1}),
                   TensorSpec("steps_in", DType::i32, {-1, 1}),
                   TensorSpec("start", DType::f32, {-1}), TensorSpec("slot", DType::i32, {-1})},
                  {TensorSpec("sum", DType::f64, {-1, 1}), TensorSpec("steps", DType::i32, {-1, 1}),
                   TensorSpec("seen", DType::f32, {-1, 2})}},
             .instances = instances},
            [this](Batch& batch) { return run(batch); }) {}

  /// The sum is answered as "seen", with the start flag; it is carried as well.
  static SequenceOptions options(SequenceOptions options = {}) {
    options.state = {{"sum_in", "sum"}, {"steps_in", "steps"}};
    options.start_input = "start";
    options.slot_input = "slot";
    return options;
  }

  /// Depends on the order of the steps and on how many there were.
  static double next(double sum, float x) { return sum * 1.001 + static_cast<double>(x); }

  Result<void> run(Batch& batch) {
    if (gate) gate(batch);
    {
      const std::scoped_lock lock(mutex);
      batch_sizes.push_back(batch.size());
      const auto slot = batch.input<std::int32_t>(4);
      slots.insert(slots.end(), slot.begin(), slot.end());
    }
    for (std::size_t row = 0; row < batch.size(); ++row) run_row(batch, row);
    return success();
  }

  void run_row(Batch& batch, std::size_t row) {
    const float x = batch.input<float>(0)[row];
    if (x == kThrow) throw std::runtime_error("poison");
    if (x == kFail) batch.fail(row, Error(Errc::data_loss, "bad step"));
    const double sum = next(batch.input<double>(1)[row], x);
    batch.output<double>(0)[row] = sum;
    batch.output<std::int32_t>(1)[row] = batch.input<std::int32_t>(2)[row] + 1;
    batch.output<float>(2)[2 * row] = static_cast<float>(sum);
    batch.output<float>(2)[2 * row + 1] = batch.input<float>(3)[row];
    ++computed;
  }

  static TensorSet input(float x) {
    TensorSet inputs;
    inputs.add("x", Tensor::from<float>({1}, {x}).value());
    return inputs;
  }

  std::function<void(Batch&)> gate;
  std::atomic<int> computed{0};
  std::mutex mutex;
  std::vector<std::size_t> batch_sizes;
  std::vector<std::int32_t> slots;
  CallableModel model;
};

}  // namespace aiserve::testing
