// A folder with one model file, and a simulated service over it.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>

#include <doctest/doctest.h>

#include "aiserve/core/id.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/serving/batcher.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "aiserve/torch/torch_model.hpp"
#include "unit/torch/script_files.hpp"

namespace aiserve::testing {

class ModelFolder {
 public:
  ModelFolder() : path_(std::filesystem::temp_directory_path() / ("aiserve_" + make_id())) {
    std::filesystem::create_directory(path_);
  }
  ~ModelFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ModelFolder(const ModelFolder&) = delete;
  ModelFolder& operator=(const ModelFolder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string model() const { return file("model.pt"); }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }
  /// Saves the script as model.pt and returns its path.
  std::string script(const std::string& source, const std::vector<Weight>& weights = {}) const {
    save_script(model(), source, weights);
    return model();
  }

 private:
  std::filesystem::path path_;
};

inline Signature f32(Shape in, Shape out) {
  return {{TensorSpec("x", DType::f32, in)}, {TensorSpec("y", DType::f32, out)}};
}

/// What the constructor says; empty if it succeeds.
inline std::string config_error(const TorchModelOptions& options) {
  try {
    const TorchModel model(options);
    return {};
  } catch (const ConfigError& error) {
    return error.what();
  }
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Asks a model through a Batcher, on the test's thread.
class SimService {
 public:
  explicit SimService(TorchModelOptions options)
      : model_(std::move(options)), batcher_(sim_.runtime(), model_) {
    sim_.start();
  }

  /// The requests ride in one batch.
  std::vector<Result<Inference>> ask(std::span<const Tensor> inputs) {
    std::vector<Result<Inference>> outcomes(inputs.size());
    std::size_t answered = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      batcher_.submit(Context::background(), inputs[i], [&, i](Result<Inference> outcome) {
        outcomes[i] = std::move(outcome);
        ++answered;
      });
    }
    sim_.run_until_idle();
    CHECK(answered == inputs.size());
    return outcomes;
  }
  Result<Inference> ask(const Tensor& input) {
    return std::move(ask(std::span<const Tensor>(&input, 1)).front());
  }
  Result<TensorSet> ask(const TensorSet& inputs) {
    Result<TensorSet> outcome;
    const auto infer = [&](const Context& ctx) -> Async<void> {
      outcome = co_await batcher_.infer(ctx, inputs);
      co_return success();
    };
    spawn(sim_.runtime(), Context::background(), infer);
    sim_.run_until_idle();
    return outcome;
  }

  TorchModel& model() noexcept { return model_; }

 private:
  Telemetry telemetry_{{.log_sink = [](LogLevel, std::string_view) {}}};
  TorchModel model_;
  SimRuntime sim_{RuntimeOptions{.telemetry = &telemetry_}};
  Batcher batcher_;
};

template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  const std::span<const T> data = tensor.data<T>();
  return {data.begin(), data.end()};
}

}  // namespace aiserve::testing
