// A model whose batches of n rows take a + b * n: what batching gains is in the a.
#pragma once

#include <aiserve/serving/model.hpp>

#include <algorithm>
#include <thread>

#include "settings.hpp"

namespace lab {

struct LabInstance final : ModelInstance {
  explicit LabInstance(const Settings& s) : settings(s) {}
  Result<void> run(Batch& batch) override {
    const double took = settings.fixed_us + settings.row_us * static_cast<double>(batch.size());
    const auto done = std::chrono::steady_clock::now() + micros(took);
    std::ranges::copy(batch.input<float>(), batch.output<float>().begin());
    if (settings.spin == 0) std::this_thread::sleep_until(done);
    while (std::chrono::steady_clock::now() < done) continue;
    return success();
  }
  const Settings& settings;
};

struct LabModel final : Model {
  explicit LabModel(const Settings& s) : settings(s) {}
  const Signature& signature() const noexcept override { return its_signature; }
  const std::string& name() const noexcept override { return its_name; }
  Result<std::unique_ptr<ModelInstance>> create_instance(int) override {
    return std::unique_ptr<ModelInstance>(std::make_unique<LabInstance>(settings));
  }
  const Settings& settings;
  const std::string its_name = "lab";
  const Signature its_signature{{{"x", DType::f32, {-1, 1}}}, {{"y", DType::f32, {-1, 1}}}};
};

}  // namespace lab
