#include "aiserve/testing/sim_runtime.hpp"

#include "core/runtime_core.hpp"

namespace aiserve::inline v0 {

class SimRuntimeAccess {
 public:
  static std::unique_ptr<Runtime> make(RuntimeOptions options) {
    auto core = std::make_unique<detail::RuntimeCore>(std::move(options),
                                                      detail::LoopOwner::simulation, nullptr);
    return std::unique_ptr<Runtime>(new Runtime(std::move(core)));
  }
};

namespace testing {

SimRuntime::SimRuntime(RuntimeOptions options) {
  options.clock = &clock_;
  runtime_ = SimRuntimeAccess::make(std::move(options));
}

SimRuntime::~SimRuntime() = default;

void SimRuntime::start() {
  runtime_->start();
  run_until_idle();
}

void SimRuntime::run_until_idle() { runtime_->core().pump(); }

void SimRuntime::advance(Duration by) {
  const TimePoint end = clock_.now() + by;
  run_until_idle();
  for (TimePoint now = clock_.now(); now < end; now = clock_.now()) {
    const Deadline next = runtime_->core().next_event().earlier(Deadline(end));
    if (next.at() > now) clock_.advance(next.at() - now);
    run_until_idle();
  }
}

void SimRuntime::shutdown() { runtime_->shutdown(); }

}  // namespace testing
}  // namespace aiserve::inline v0
