#include "aiserve/serving/batcher.hpp"

#include <array>

#include "core/runtime_core.hpp"
#include "serving/engine.hpp"

namespace aiserve::inline v0 {

using detail::BatchEntry;
using detail::EntryPtr;
using detail::Operation;

std::string_view to_string(DispatchReason reason) noexcept {
  constexpr std::array<std::string_view, 2> kNames{"full", "idle"};
  return kNames[static_cast<std::size_t>(reason)];
}

namespace {

BatcherOptions checked(const Model& model, BatcherOptions options) {
  if (options.name.empty()) options.name = model.name();
  if (options.instances == 0) options.instances = model.instances();
  const auto check = [&](const char* option, std::size_t value, std::size_t high) {
    if (value >= 1 && value <= high) return;
    throw ConfigError("batcher " + options.name + ": " + option + " must be 1 to " +
                      std::to_string(high));
  };
  check("max_batch", options.max_batch, 65'536);
  check("max_queue", options.max_queue, std::size_t{1} << 24);
  check("instances", static_cast<std::size_t>(std::max(options.instances, 0)), 256);
  if (const Result<void> valid = model.signature().validate(); !valid) {
    throw ConfigError("batcher " + options.name + ": " + valid.error().message());
  }
  return options;
}

Error wrong_count() {
  return Error(Errc::invalid_argument,
               "this model has several inputs or outputs: use infer() with a TensorSet");
}

}  // namespace

class Batcher::Impl {
 public:
  Impl(Runtime& runtime, Model& model, BatcherOptions options)
      : engine_(runtime, model, checked(model, std::move(options))) {}

  const Signature& signature() noexcept { return engine_.model().signature(); }
  BatcherSnapshot snapshot() const { return engine_.snapshot(); }

  Result<EntryPtr> single(const Context& ctx, const Tensor& input) {
    if (signature().inputs.size() != 1 || signature().outputs.size() != 1) return wrong_count();
    if (Result<void> fits = signature().inputs.front().check_row(input); !fits) return fits.error();
    Result<EntryPtr> entry = new_entry(ctx);
    if (entry) (*entry)->input = input;
    return entry;
  }

  Result<EntryPtr> several(const Context& ctx, const TensorSet& inputs) {
    Result<EntryPtr> entry = new_entry(ctx);
    if (!entry) return entry;
    if (inputs.items().size() != signature().inputs.size()) {
      return Error(Errc::invalid_argument, "the model takes " + signature().to_string());
    }
    for (const TensorSpec& spec : signature().inputs) {
      const Tensor* tensor = inputs.find(spec.name());
      if (tensor == nullptr) {
        return Error(Errc::invalid_argument, "input '" + spec.name() + "' is missing");
      }
      if (Result<void> fits = spec.check_row(*tensor); !fits) return fits.error();
      if (&spec == &signature().inputs.front()) {
        (*entry)->input = *tensor;
      } else {
        (*entry)->more_inputs.push_back(*tensor);
      }
    }
    return entry;
  }

  /// Queues the entry and waits for its outcome, which is then in the entry.
  Async<void> ride(EntryPtr entry) {
    if (!entry->bind(&engine_.runtime().core())) {
      co_return Error(Errc::internal, "infer() needs an I/O thread of the runtime: use submit()");
    }
    if (Result<void> pushed = engine_.push(entry); !pushed) co_return pushed;
    entry->watch(entry->context);
    co_await entry->wait();
    if (entry->outcome() != Operation::Outcome::completed) {
      engine_.forget(*entry);
      co_return entry->error();
    }
    if (!entry->output) co_return std::move(entry->output).error();
    co_return success();
  }

  void submit(const Context& ctx, const Tensor& input, Callback done) {
    detail::RuntimeCore& core = engine_.runtime().core();
    detail::IoThread* home = core.any_io();
    Result<EntryPtr> made = single(ctx, input);
    if (home == nullptr) return done(Error(Errc::unavailable, "the runtime has stopped"));
    // Refusals take the same way as answers, so that `done` never runs inside submit().
    EntryPtr entry =
        made ? std::move(*made) : detail::make_intrusive<BatchEntry>(ctx, core.clock().now());
    entry->bind(*home);
    entry->done = std::move(done);
    entry->owner = &engine_;
    entry->on_settled([](Operation& operation, Operation::Outcome) noexcept {
      deliver(static_cast<BatchEntry&>(operation));
    });
    Result<void> pushed = made ? engine_.push(entry) : Result<void>(made.error());
    if (!pushed) {
      entry->output = pushed.error();
      entry->settle(Operation::Outcome::completed);
    } else if (ctx.cancellable() || ctx.deadline().reachable()) {
      entry->watch_at_home(entry->context);
    }
  }

 private:
  Result<EntryPtr> new_entry(const Context& ctx) {
    const TimePoint now = engine_.runtime().clock().now();
    if (Result<void> alive = ctx.check(now); !alive) {
      engine_.metrics().refused(alive.error().code());
      return alive.error();
    }
    return detail::make_intrusive<BatchEntry>(ctx, now);
  }

  static void deliver(BatchEntry& entry) noexcept {
    Result<Inference> result = entry.error();
    if (entry.outcome() != Operation::Outcome::completed) {
      entry.owner->forget(entry);
    } else if (entry.output) {
      result = Inference(std::move(*entry.output), entry.ride);
    } else {
      result = std::move(entry.output).error();
    }
    try {
      entry.done(std::move(result));
    } catch (...) {
      entry.owner->log_callback_error(error_from_current_exception());
    }
    entry.done = nullptr;
  }

  detail::BatchEngine engine_;
};

Batcher::Batcher(Runtime& runtime, Model& model, BatcherOptions options)
    : impl_(std::make_unique<Impl>(runtime, model, std::move(options))) {}
Batcher::~Batcher() = default;

Async<Tensor> Batcher::infer(const Context& ctx, const Tensor& input) {
  Result<EntryPtr> entry = impl_->single(ctx, input);
  if (!entry) co_return entry.error();
  const Result<void> rode = co_await impl_->ride(*entry);
  if (!rode) co_return rode.error();
  co_return std::move((*entry)->output);
}

Async<Inference> Batcher::infer_detailed(const Context& ctx, const Tensor& input) {
  Result<EntryPtr> entry = impl_->single(ctx, input);
  if (!entry) co_return entry.error();
  const Result<void> rode = co_await impl_->ride(*entry);
  if (!rode) co_return rode.error();
  co_return Inference(std::move(*(*entry)->output), (*entry)->ride);
}

Async<TensorSet> Batcher::infer(const Context& ctx, const TensorSet& inputs) {
  Result<EntryPtr> entry = impl_->several(ctx, inputs);
  if (!entry) co_return entry.error();
  const Result<void> rode = co_await impl_->ride(*entry);
  if (!rode) co_return rode.error();
  TensorSet outputs;
  const auto& specs = signature().outputs;
  outputs.add(specs.front().name(), std::move(*(*entry)->output));
  for (std::size_t i = 1; i < specs.size(); ++i) {
    outputs.add(specs[i].name(), std::move((*entry)->more_outputs[i - 1]));
  }
  co_return outputs;
}

void Batcher::submit(const Context& ctx, const Tensor& input, Callback done) {
  impl_->submit(ctx, input, std::move(done));
}

const Signature& Batcher::signature() const noexcept { return impl_->signature(); }
BatcherSnapshot Batcher::snapshot() const { return impl_->snapshot(); }

}  // namespace aiserve::inline v0
