// A simulated runtime with one batcher over a Doubler, and the outcomes of what was asked.
#pragma once

#include <vector>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "unit/serving/doubler.hpp"

namespace aiserve::testing {

struct SimBench {
  explicit SimBench(BatcherOptions options = {}, int instances = 1)
      : doubler(instances), batcher(sim.runtime(), doubler.model, std::move(options)) {}

  void ask(const Context& ctx, float value) {
    const auto infer = [this](const Context& own, const float& x) -> Async<void> {
      const Tensor input = Doubler::input(x);
      outcomes.push_back(co_await batcher.infer_detailed(own, input));
      co_return success();
    };
    spawn(sim.runtime(), ctx, infer, value);
  }
  void ask(float value) { ask(Context::background(), value); }

  static float value_of(const Result<Inference>& outcome) {
    return outcome.value().output().data<float>()[0];
  }
  bool logged(std::string_view text) const { return log.find(text) != std::string::npos; }

  std::string log;
  Telemetry telemetry{{.log_sink = [this](LogLevel, std::string_view line) { log += line; }}};
  Doubler doubler;
  std::vector<Result<Inference>> outcomes;
  SimRuntime sim{RuntimeOptions{.telemetry = &telemetry}};
  Batcher batcher;
};

inline Context of_tenant(const char* id, double weight = 1, Priority priority = Priority::normal) {
  return Context(ContextOptions{.tenant = Tenant({.id = TenantId(id), .weight = weight}),
                                .priority = priority});
}

}  // namespace aiserve::testing
