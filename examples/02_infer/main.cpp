#include <aiserve/core/runtime.hpp>
#include <aiserve/serving/batcher.hpp>

#include <cmath>
#include <cstdio>

using namespace aiserve;

int main() {
  Runtime runtime;
  const Signature signature{{TensorSpec("point", DType::f32, {-1, 2})},  // -1: any number of rows
                            {TensorSpec("distance", DType::f32, {-1, 1})}};
  CallableModel model({.name = "distance", .signature = signature}, [](Batch& batch) {
    const auto in = batch.input<float>();
    const auto out = batch.output<float>();
    for (std::size_t i = 0; i < batch.size(); ++i) out[i] = std::hypot(in[2 * i], in[2 * i + 1]);
    return success();
  });
  Batcher batcher(runtime, model, {.max_batch = 32});
  runtime.start();

  const Tensor a = Tensor::from<float>({2}, {3, 4}).value();
  const Tensor b = Tensor::from<float>({2}, {5, 12}).value();
  const auto ask_a = [&](const Context& ctx) { return batcher.infer(ctx, a); };
  const auto ask_b = [&](const Context& ctx) { return batcher.infer(ctx, b); };
  const auto [to_a, to_b] = block_on(runtime, all(Context::background(), ask_a, ask_b)).value();
  std::printf("distances %g and %g\n", to_a.data<float>()[0], to_b.data<float>()[0]);
}
