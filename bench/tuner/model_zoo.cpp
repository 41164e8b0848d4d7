#include "tuner/model_zoo.hpp"

#include <chrono>
#include <thread>

#include <time.h>

#include "tuner/torch_zoo.hpp"
#include "tuner/usage_error.hpp"

namespace tuner {
namespace {

using namespace aiserve;

Nanos thread_cpu() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return Nanos{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Result<void> compute(const ModelSpec& spec, std::size_t rows) {
  if (spec.kind == ModelKind::spin) spin(spec.call(rows));
  if (spec.kind == ModelKind::sleep) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(spec.call(rows)));
  }
  return success();
}

Zoo timed_model(const ModelSpec& spec, const ZooOptions& options) {
  CallableModelOptions callable;
  callable.name = "model";
  callable.instances = options.instances;
  const auto bytes = static_cast<std::int64_t>(options.row_bytes);
  callable.signature = {{TensorSpec("in", DType::u8, {-1, bytes})},
                        {TensorSpec("out", DType::f32, {-1, 10})}};
  Zoo zoo;
  zoo.inputs = random_inputs(callable.signature, options.inputs);
  zoo.model = std::make_unique<CallableModel>(
      callable, [spec](Batch& batch) { return compute(spec, batch.size()); });
  return zoo;
}

}  // namespace

void spin(Nanos nanos) noexcept {
  const Nanos end = thread_cpu() + nanos;
  while (thread_cpu() < end) {
  }
}

Zoo make_model(const ModelSpec& spec, const ZooOptions& options, Telemetry& telemetry) {
  if (spec.kind != ModelKind::fashion && spec.kind != ModelKind::torch) {
    return timed_model(spec, options);
  }
#ifdef BENCH_WITH_TORCH
  return torch_model(spec, options, telemetry);
#else
  static_cast<void>(telemetry);
  throw UsageError("--model: this build has no libtorch");
#endif
}

}  // namespace tuner
