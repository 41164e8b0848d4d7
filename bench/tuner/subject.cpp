#include "tuner/subject.hpp"

#include <stdexcept>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/serving/batcher.hpp"
#include "rivals/policies.hpp"
#include "serving/batcher_access.hpp"

namespace tuner {
namespace {

using namespace aiserve;

TelemetryOptions quiet() {
  TelemetryOptions options;
  options.log_level = LogLevel::warn;
  return options;
}

Outcome outcome_of(Errc code) noexcept {
  if (code == Errc::overloaded || code == Errc::rate_limited) return Outcome::refused;
  return code == Errc::deadline_exceeded ? Outcome::expired : Outcome::failed;
}

Answer answer_of(const Result<Inference>& result) noexcept {
  if (!result) return {outcome_of(result.error().code()), 0, false};
  const Ride& ride = result->ride();
  return {Outcome::ok, ride.size, ride.position == 0};
}

std::vector<Context> contexts_of(const std::vector<TenantLoad>& tenants) {
  if (tenants.empty()) return {Context::background()};
  std::vector<Context> contexts;
  for (const TenantLoad& tenant : tenants) {
    TenantSpec spec;
    spec.id = TenantId(tenant.name);
    spec.weight = tenant.weight;
    ContextOptions options;
    options.tenant = Tenant(std::move(spec));
    contexts.emplace_back(options);
  }
  return contexts;
}

}  // namespace

struct Subject::Impl {
  explicit Impl(const SubjectOptions& options)
      : telemetry(quiet()),
        zoo(make_zoo(options)),
        runtime({.spin = options.spin, .telemetry = &telemetry}),
        batcher(make(options)),
        contexts(contexts_of(options.tenants)),
        single(batcher->signature().inputs.size() == 1 &&
               batcher->signature().outputs.size() == 1) {}

  Zoo make_zoo(const SubjectOptions& options) {
    if (options.make_zoo) return options.make_zoo();
    const ZooOptions zoo_options{options.setting.instances, options.setting.threads,
                                 options.row_bytes, options.inputs};
    return make_model(options.model, zoo_options, telemetry);
  }

  std::unique_ptr<Batcher> make(const SubjectOptions& options) {
    BatcherOptions made;
    made.max_batch = options.setting.max_batch;
    made.max_queue = options.max_queue;
    made.instances = options.setting.instances;
    if (options.setting.wait != 0) return windowed(options.setting.wait, std::move(made));
    if (options.make_batcher) return options.make_batcher(runtime, *zoo.model, std::move(made));
    return std::make_unique<Batcher>(runtime, *zoo.model, std::move(made));
  }

  std::unique_ptr<Batcher> windowed(Nanos wait, BatcherOptions made) {
    made.learn_cap = false;
    return BatcherAccess::make(runtime, *zoo.model, std::move(made), rivals::window_policy(wait));
  }

  Context context_of(const Call& call) const {
    const Context& tenant = contexts[call.tenant];
    if (call.deadline == 0) return tenant;
    return tenant.with_deadline(
        Deadline::after(runtime.clock().now(), std::chrono::nanoseconds(call.deadline)));
  }
  const TensorSet& inputs(std::uint64_t index) const noexcept {
    return zoo.inputs[index % zoo.inputs.size()];
  }

  // Only coroutines can bring several tensors.
  void send_set(const Context& ctx, const TensorSet& set, Target::Done done) {
    const auto ask = [this](const Context& own, const TensorSet& tensors,
                            const Target::Done& tell) -> Async<void> {
      const Result<TensorSet> result = co_await batcher->infer(own, tensors);
      tell({result ? Outcome::ok : outcome_of(result.error().code()), 0, false});
      co_return success();
    };
    spawn(runtime, ctx, ask, set, std::move(done));
  }

  Telemetry telemetry;
  Zoo zoo;
  Runtime runtime;
  std::unique_ptr<Batcher> batcher;
  std::vector<Context> contexts;
  bool single;
};

Subject::Subject(const SubjectOptions& options) : impl_(std::make_unique<Impl>(options)) {
  impl_->runtime.start();
  const Result<TensorSet> first =
      block_on(impl_->runtime, impl_->batcher->infer(Context::background(), impl_->inputs(0)));
  if (!first) {
    impl_->runtime.shutdown();
    throw std::runtime_error("the model fails: " + first.error().to_string());
  }
}

Subject::~Subject() { impl_->runtime.shutdown(); }

void Subject::send(const Call& call, Done done) {
  const Context ctx = impl_->context_of(call);
  if (!impl_->single) return impl_->send_set(ctx, impl_->inputs(call.index), std::move(done));
  impl_->batcher->submit(
      ctx, input(call.index),
      [done = std::move(done)](Result<Inference> result) { done(answer_of(result)); });
}

Runtime& Subject::runtime() noexcept { return impl_->runtime; }
Batcher& Subject::batcher() noexcept { return *impl_->batcher; }
const Tensor& Subject::input(std::uint64_t index) const noexcept {
  return impl_->inputs(index).items().front().tensor();
}

}  // namespace tuner
