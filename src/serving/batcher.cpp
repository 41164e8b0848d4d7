#include "aiserve/serving/batcher.hpp"

#include <algorithm>

#include "core/runtime_core.hpp"
#include "serving/batcher_access.hpp"
#include "serving/check_options.hpp"
#include "serving/engine.hpp"
#include "serving/front.hpp"
#include "serving/tensor_backend.hpp"

namespace aiserve::inline v0 {

using detail::EntryPtr;
using detail::TensorEntry;
using TensorEntryPtr = detail::IntrusivePtr<TensorEntry>;

namespace {

Error wrong_count() {
  return Error(Errc::invalid_argument,
               "this model has several inputs or outputs: use infer() with a TensorSet");
}

BatcherOptions checked(const Model& model, BatcherOptions options) {
  if (options.name.empty()) options.name = model.name();
  if (options.instances == 0) options.instances = model.instances();
  if (const Result<void> valid = model.signature().validate(); !valid) {
    throw ConfigError("batcher " + options.name + ": " + valid.error().message());
  }
  detail::check_options(options);
  return options;
}

}  // namespace

struct Batcher::WithPolicy {
  decide::BatchPolicy policy;
};

class Batcher::Impl {
 public:
  Impl(Runtime& runtime, Model& model, BatcherOptions options, decide::BatchPolicy policy)
      : options_(checked(model, std::move(options))),
        signature_(model.signature()),
        rules_(signature_, options_.shapes),
        front_(runtime, std::make_unique<detail::TensorBackend>(model, options_),
               std::make_unique<detail::TensorPlacer>(signature_, options_), options_, policy) {}

  const Signature& signature() const noexcept { return signature_; }
  detail::BatchFront& front() noexcept { return front_; }
  const detail::BatchFront& front() const noexcept { return front_; }

  Result<TensorEntryPtr> single(const Context& ctx, const Tensor& input) {
    if (rules_.brought() != 1 || signature_.outputs.size() != 1) return wrong_count();
    // The mask, which requests don't bring, may be the first.
    const TensorSpec& spec = signature_.inputs[rules_.mask() == 0 ? 1 : 0];
    if (Result<void> fits = spec.check_row(input); !fits) return fits.error();
    Result<TensorEntryPtr> entry = new_entry(ctx);
    if (!entry) return entry;
    (*entry)->input = input;
    ask_cost(**entry);
    return entry;
  }

  Result<TensorEntryPtr> several(const Context& ctx, const TensorSet& inputs) {
    Result<TensorEntryPtr> entry = new_entry(ctx);
    if (!entry) return entry;
    if (inputs.items().size() != rules_.brought()) {
      return Error(Errc::invalid_argument, "the model takes " + signature_.to_string());
    }
    for (std::size_t i = 0; i < signature_.inputs.size(); ++i) {
      if (i == rules_.mask()) continue;
      const TensorSpec& spec = signature_.inputs[i];
      const Tensor* tensor = inputs.find(spec.name());
      if (tensor == nullptr) {
        return Error(Errc::invalid_argument, "input '" + spec.name() + "' is missing");
      }
      if (Result<void> fits = spec.check_row(*tensor); !fits) return fits.error();
      if (rules_.request_index(i) == 0) {
        (*entry)->input = *tensor;
      } else {
        (*entry)->more_inputs.push_back(*tensor);
      }
    }
    ask_cost(**entry);
    return entry;
  }

  Async<void> replace(const Context& ctx, Model& next) {
    if (next.signature().to_string() != signature_.to_string()) {
      co_return Error(Errc::invalid_argument, "the model takes " + signature_.to_string() +
                                                  ", not " + next.signature().to_string());
    }
    auto backend = std::make_unique<detail::TensorBackend>(next, options_);
    co_return co_await front_.engine().replace(ctx, std::move(backend));
  }

 private:
  // Not under the engine's lock: it is the host's function.
  void ask_cost(TensorEntry& entry) const {
    if (options_.cost.custom()) entry.cost = options_.cost(entry.input, 0);
  }

  Result<TensorEntryPtr> new_entry(const Context& ctx) {
    const Result<TimePoint> now = front_.admit(ctx);
    if (!now) return now.error();
    return detail::make_intrusive<TensorEntry>(ctx, *now);
  }

  BatcherOptions options_;
  Signature signature_;
  detail::ShapeRules rules_;
  detail::BatchFront front_;
};

Batcher::Batcher(Runtime& runtime, Model& model, BatcherOptions options)
    : Batcher(runtime, model, std::move(options), WithPolicy{&decide::decide_batch}) {}
Batcher::Batcher(Runtime& runtime, Model& model, BatcherOptions options, const WithPolicy& policy)
    : impl_(std::make_unique<Impl>(runtime, model, std::move(options), policy.policy)) {}
Batcher::~Batcher() = default;

std::unique_ptr<Batcher> BatcherAccess::make(Runtime& runtime, Model& model, BatcherOptions options,
                                             decide::BatchPolicy policy) {
  return std::unique_ptr<Batcher>(
      new Batcher(runtime, model, std::move(options), Batcher::WithPolicy{policy}));
}

Async<Tensor> Batcher::infer(const Context& ctx, const Tensor& input) {
  Result<TensorEntryPtr> entry = impl_->single(ctx, input);
  if (!entry) co_return entry.error();
  const EntryPtr riding = detail::as_entry(*entry);
  const Result<void> rode = co_await impl_->front().ride(riding);
  if (!rode) co_return rode.error();
  co_return std::move((*entry)->output);
}

Async<Inference> Batcher::infer_detailed(const Context& ctx, const Tensor& input) {
  Result<TensorEntryPtr> entry = impl_->single(ctx, input);
  if (!entry) co_return entry.error();
  const EntryPtr riding = detail::as_entry(*entry);
  const Result<void> rode = co_await impl_->front().ride(riding);
  if (!rode) co_return rode.error();
  co_return Inference(std::move(*(*entry)->output), (*entry)->ride);
}

Async<TensorSet> Batcher::infer(const Context& ctx, const TensorSet& inputs) {
  Result<TensorEntryPtr> entry = impl_->several(ctx, inputs);
  if (!entry) co_return entry.error();
  const EntryPtr riding = detail::as_entry(*entry);
  const Result<void> rode = co_await impl_->front().ride(riding);
  if (!rode) co_return rode.error();
  TensorSet outputs;
  const auto& specs = signature().outputs;
  outputs.add(specs.front().name(), std::move(*(*entry)->output));
  for (std::size_t i = 1; i < specs.size(); ++i) {
    outputs.add(specs[i].name(), std::move((*entry)->more_outputs[i - 1]));
  }
  co_return outputs;
}

Async<std::vector<Result<Tensor>>> Batcher::infer_many(const Context& ctx,
                                                       std::span<const Tensor> inputs,
                                                       Grouping grouping) {
  std::vector<TensorEntryPtr> entries;
  for (const Tensor& input : inputs) {
    Result<TensorEntryPtr> entry = impl_->single(ctx, input);
    if (!entry) co_return entry.error();
    entries.push_back(std::move(*entry));
  }
  std::vector<EntryPtr> riding;
  riding.reserve(entries.size());
  for (const TensorEntryPtr& entry : entries) riding.push_back(detail::as_entry(entry));
  const Result<void> rode = co_await impl_->front().ride_all(riding, grouping);
  if (!rode) co_return rode.error();
  std::vector<Result<Tensor>> outputs;
  for (const TensorEntryPtr& entry : entries) {
    const bool answered =
        entry->refused || entry->outcome() == detail::Operation::Outcome::completed;
    outputs.push_back(answered ? std::move(entry->output) : Result<Tensor>(entry->error()));
  }
  co_return outputs;
}

void Batcher::submit(const Context& ctx, const Tensor& input, Callback done) {
  Result<TensorEntryPtr> made = impl_->single(ctx, input);
  // Refusals take the same way as answers, so that `done` never runs inside submit().
  const TensorEntryPtr entry =
      made ? *made : detail::make_intrusive<TensorEntry>(ctx, TimePoint::min());
  if (!made) entry->refuse(made.error());
  entry->done = [done = std::move(done)](detail::BatchEntry& settled, const Error* error) {
    if (error != nullptr) return done(*error);
    auto& own = static_cast<TensorEntry&>(settled);
    done(Inference(std::move(*own.output), own.ride));
  };
  impl_->front().submit(detail::as_entry(entry));
}

std::future<Result<Inference>> Batcher::submit(const Context& ctx, const Tensor& input) {
  const auto promise = std::make_shared<std::promise<Result<Inference>>>();
  submit(ctx, input,
         [promise](Result<Inference> result) { promise->set_value(std::move(result)); });
  return promise->get_future();
}

Announcement Batcher::announce() noexcept { return impl_->front().engine().announce(); }
Announcer Batcher::announcer() noexcept {
  return [this] { return announce(); };
}
Result<void> Batcher::set(const BatcherKnobs& knobs) { return impl_->front().engine().set(knobs); }
void Batcher::reset_tuning() { impl_->front().engine().reset_tuning(); }

Async<void> Batcher::replace(const Context& ctx, Model& next) {
  co_return co_await impl_->replace(ctx, next);
}

const Signature& Batcher::signature() const noexcept { return impl_->signature(); }
Duration Batcher::predicted_wait() const { return impl_->front().engine().predicted_wait(); }
BatcherSnapshot Batcher::snapshot() const { return impl_->front().engine().snapshot(); }

}  // namespace aiserve::inline v0
