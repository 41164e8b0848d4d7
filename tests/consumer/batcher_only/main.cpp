// A host without HTTP and without coroutines: threads of its own submit rows to a batched callable.
#include <aiserve/core/runtime.hpp>
#include <aiserve/serving/batcher.hpp>

#include <atomic>
#include <cstdio>
#include <latch>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 4;
constexpr int kRowsPerThread = 250;

aiserve::Result<void> square(aiserve::Batch& batch) {
  const auto in = batch.input<float>();
  const auto out = batch.output<float>();
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = in[i] * in[i];
  return aiserve::success();
}

}  // namespace

int main() {
  using aiserve::DType;
  aiserve::Runtime runtime;
  aiserve::CallableModelOptions options;
  options.name = "square";
  options.signature = {{aiserve::TensorSpec("x", DType::f32, {-1, 1})},
                       {aiserve::TensorSpec("y", DType::f32, {-1, 1})}};
  aiserve::CallableModel model(options, square);
  aiserve::Batcher batcher(runtime, model, {.max_batch = 32, .max_queue = 4096});
  runtime.start();

  std::atomic<int> right = 0;
  std::latch done(kThreads * kRowsPerThread);
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRowsPerThread; ++i) {
        const float x = static_cast<float>(t * kRowsPerThread + i);
        const auto row = aiserve::Tensor::from<float>({1}, {x}).value();
        batcher.submit(aiserve::Context::background(), row,
                       [&, x](const aiserve::Result<aiserve::Inference>& result) {
                         if (result.ok() && result->output().data<float>()[0] == x * x) ++right;
                         done.count_down();
                       });
      }
    });
  }
  done.wait();
  threads.clear();
  runtime.shutdown();

  std::printf("%d of %d rows right, in %llu batches\n", right.load(), kThreads * kRowsPerThread,
              static_cast<unsigned long long>(batcher.snapshot().batches));
  return right == kThreads * kRowsPerThread ? 0 : 1;
}
