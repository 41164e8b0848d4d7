// Through the Batcher: who rides along must not change an answer by a single bit.
#include <cmath>
#include <random>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/serving/batcher.hpp"
#include "aiserve/testing/sim_runtime.hpp"

using namespace aiserve;

namespace {

constexpr std::size_t kWidth = 7;

/// Sums that depend on the order of summation, so that any difference shows.
Result<void> transcendental(Batch& batch) {
  const auto x = batch.input<float>();
  const auto y = batch.output<float>();
  for (std::size_t row = 0; row < batch.size(); ++row) {
    float sum = 0;
    for (std::size_t i = 0; i < kWidth; ++i) sum += std::exp(std::sin(x[row * kWidth + i]));
    for (std::size_t i = 0; i < kWidth; ++i) y[row * kWidth + i] = x[row * kWidth + i] / sum;
  }
  return success();
}

std::vector<Result<Inference>> ask(std::span<const Tensor> inputs) {
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  CallableModel model({.name = "transcendental",
                       .signature = {{TensorSpec("x", DType::f32, {-1, kWidth})},
                                     {TensorSpec("y", DType::f32, {-1, kWidth})}}},
                      transcendental);
  testing::SimRuntime sim(RuntimeOptions{.telemetry = &telemetry});
  Batcher batcher(sim.runtime(), model, {.max_batch = 64});
  sim.start();
  std::vector<Result<Inference>> outcomes(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    batcher.submit(Context::background(), inputs[i],
                   [&outcomes, i](Result<Inference> outcome) { outcomes[i] = std::move(outcome); });
  }
  sim.run_until_idle();
  return outcomes;
}

}  // namespace

TEST_CASE("a request of a deterministic model gets the same bits alone and in a batch of 50") {
  std::mt19937 random(11);
  std::normal_distribution<float> draw(0, 100);
  std::vector<Tensor> inputs;
  for (int i = 0; i < 50; ++i) {
    std::vector<float> values(kWidth);
    for (float& value : values) value = draw(random);
    inputs.push_back(Tensor::from<float>({kWidth}, std::span<const float>(values)).value());
  }
  const auto together = ask(inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    REQUIRE(together[i].ok());
    CHECK(together[i]->ride().size == 50);
    const auto alone = ask(std::span(inputs).subspan(i, 1));
    REQUIRE(alone[0].ok());
    CHECK(alone[0]->ride().size == 1);
    CHECK(together[i]->output().payload() == alone[0]->output().payload());
  }
}
