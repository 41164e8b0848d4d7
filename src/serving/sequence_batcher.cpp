#include "aiserve/serving/sequence_batcher.hpp"

#include <chrono>

#include "core/json_text.hpp"
#include "serving/sequence_turns.hpp"

namespace aiserve::inline v0 {

using detail::JsonText;
using detail::SequenceTurn;

namespace {

void require(bool holds, const char* option, const char* rule) {
  if (!holds) throw ConfigError("sequences: " + std::string(option) + " " + rule);
}

SequenceOptions checked(const Model& model, SequenceOptions options) {
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  if (options.batcher.name.empty()) options.batcher.name = model.name();
  if (options.max_sequences_per_tenant == 0) {
    options.max_sequences_per_tenant = options.max_sequences;
  }
  require(options.max_sequences >= 1 && options.max_sequences <= kMost, "max_sequences",
          "must be 1 to 2^20");
  require(options.max_waiting <= 4096, "max_waiting", "must be 0 to 4096");
  require(options.idle_timeout >= std::chrono::milliseconds(1), "idle_timeout",
          "must be at least 1 ms");
  if (const Result<void> valid = model.signature().validate(); !valid) {
    throw ConfigError("sequences: " + valid.error().message());
  }
  return options;
}

decide::SequenceLimits limits_of(const SequenceOptions& options) noexcept {
  return {.max_sequences = options.max_sequences,
          .max_per_tenant = options.max_sequences_per_tenant,
          .max_waiting = options.max_waiting,
          .idle_timeout = options.idle_timeout.count()};
}

}  // namespace

class SequenceBatcher::Impl {
 public:
  Impl(Runtime& runtime, Model& model, SequenceOptions options)
      : options_(checked(model, std::move(options))),
        signature_(model.signature()),
        tensors_(signature_, options_),
        batcher_(runtime, model, options_.batcher),
        turns_(runtime, options_.batcher.name, limits_of(options_)),
        attachment_(runtime.attach(component())) {}
  // Detaching ends what still uses the rest.
  ~Impl() { attachment_ = Attachment(); }

  Async<TensorSet> step(const Context& ctx, const SequenceId& id, const TensorSet& inputs,
                        SequenceStep flags);
  SequenceSnapshot snapshot() {
    SequenceSnapshot now = turns_.snapshot();
    now.state_bytes = tensors_.state_bytes();
    return now;
  }
  Batcher& batcher() noexcept { return batcher_; }

 private:
  Component component();
  Result<void> check(const SequenceId& id, const TensorSet& inputs) const;
  std::string status();

  SequenceOptions options_;
  Signature signature_;
  detail::SequenceTensors tensors_;
  Batcher batcher_;
  detail::SequenceTurns turns_;
  // Closed before the Batcher's, so that steps that wait are still computed while draining.
  Gate gate_;
  Attachment attachment_;
};

Component SequenceBatcher::Impl::component() {
  return {.name = "sequences " + options_.batcher.name,
          .gate = &gate_,
          .tick = [this] { turns_.expire(); },
          .cancel = [this] { turns_.cancel_all(); },
          .busy_with = [this] { return std::to_string(gate_.inside()) + " steps"; },
          .status = [this] { return status(); }};
}

Result<void> SequenceBatcher::Impl::check(const SequenceId& id, const TensorSet& inputs) const {
  const std::size_t size = id.value().size();
  if (size == 0 || size > SequenceId::kMaxSize) {
    return Error(Errc::invalid_argument, "a sequence id must have 1 to 128 bytes");
  }
  return tensors_.check(inputs);
}

Async<TensorSet> SequenceBatcher::Impl::step(const Context& ctx, const SequenceId& id,
                                             const TensorSet& inputs, SequenceStep flags) {
  const Result<void> fits = check(id, inputs);
  if (!fits) co_return fits.error();
  const Gate::Pass inside = gate_.enter();
  if (!inside) co_return Error(Errc::unavailable, "the batcher is draining");
  Result<SequenceTurn> turn = co_await turns_.turn(ctx, id, flags.start);
  if (!turn) co_return turn.error();
  const TensorSet row = tensors_.row(inputs, turn->row());
  const Result<TensorSet> outputs = co_await batcher_.infer(ctx, row);
  if (!outputs) co_return outputs.error();
  TensorSet answer = tensors_.answer(*outputs);
  turn->succeed(tensors_.take_state(*outputs), flags.end);
  co_return answer;
}

std::string SequenceBatcher::Impl::status() {
  const SequenceSnapshot now = snapshot();
  JsonText json;
  const auto count = [&json](std::string_view key, auto value) {
    json.key(key).number(static_cast<std::int64_t>(value));
  };
  json.begin_object();
  count("active", now.active);
  count("stepping", now.stepping);
  count("waiting", now.waiting);
  count("started", now.started);
  count("expired", now.expired);
  count("state_bytes", now.state_bytes);
  count("max_sequences", options_.max_sequences);
  count("max_sequences_per_tenant", options_.max_sequences_per_tenant);
  count("max_waiting", options_.max_waiting);
  count("idle_timeout_ms", options_.idle_timeout / std::chrono::milliseconds(1));
  json.end_object();
  return std::move(json).text();
}

SequenceBatcher::SequenceBatcher(Runtime& runtime, Model& model, SequenceOptions options)
    : impl_(std::make_unique<Impl>(runtime, model, std::move(options))) {}
SequenceBatcher::~SequenceBatcher() = default;

Async<TensorSet> SequenceBatcher::step(const Context& ctx, const SequenceId& id,
                                       const TensorSet& inputs, SequenceStep flags) {
  return impl_->step(ctx, id, inputs, flags);
}

SequenceSnapshot SequenceBatcher::snapshot() const { return impl_->snapshot(); }
Batcher& SequenceBatcher::batcher() noexcept { return impl_->batcher(); }

}  // namespace aiserve::inline v0
