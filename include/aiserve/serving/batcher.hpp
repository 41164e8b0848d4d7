/// Batcher: gathers single requests into batches for a Model, without making anybody wait beside
/// an idle instance.
///
/// Workers pull: an instance that becomes free takes what waits at once; while all are busy the
/// queue grows the next batch. Its members are chosen fairly over tenants and by deadline. What is
/// cancelled, expired or predicted to be late never runs, a poisoned row fails alone.
/// The Model must outlive the Runtime's shutdown, or its replace().
/// *Thread safety:* infer: I/O threads of the Runtime; submit and the rest: any thread.
/// *Errors:* invalid_argument (wrong tensor), overloaded with retry_after (queue full, or too long
/// for the deadline), deadline_exceeded, cancelled, unavailable (draining), and what the model
/// returned for the row.
///
///     Batcher batcher(runtime, model, {.max_batch = 64});
///     Result<Tensor> scores = co_await batcher.infer(ctx, image);
#pragma once

#include <aiserve/core/announcement.hpp>
#include <aiserve/core/async.hpp>
#include <aiserve/serving/batcher_options.hpp>
#include <aiserve/serving/batcher_snapshot.hpp>
#include <aiserve/serving/model.hpp>
#include <aiserve/serving/ride.hpp>

#include <functional>
#include <future>
#include <memory>
#include <span>
#include <vector>

namespace aiserve::inline v0 {

class Runtime;

/// How many requests that are made at once travel.
enum class Grouping : std::uint8_t {
  split,     ///< each for itself, in whatever batches come
  together,  ///< in one batch; more than max_batch in as few batches as it takes
};

class Batcher {
 public:
  /// Throws ConfigError when an option is out of range or the signature is not valid.
  Batcher(Runtime& runtime, Model& model, BatcherOptions options = {});
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  /// For a model with one input and one output. The output has the shape of one row.
  Async<Tensor> infer(const Context& ctx, const Tensor& input);
  /// The same, and tells the batch it rode in.
  Async<Inference> infer_detailed(const Context& ctx, const Tensor& input);
  /// For models with several inputs or outputs, by name.
  Async<TensorSet> infer(const Context& ctx, const TensorSet& inputs);
  /// Many rows at once; the results stand in the order of the inputs.
  Async<std::vector<Result<Tensor>>> infer_many(const Context& ctx, std::span<const Tensor> inputs,
                                                Grouping grouping = Grouping::split);

  /// For hosts without coroutines: calls `done` exactly once, on an I/O thread of the Runtime.
  using Callback = std::function<void(Result<Inference>)>;
  void submit(const Context& ctx, const Tensor& input, Callback done);
  /// The same for plain threads; never wait for it on an I/O thread.
  std::future<Result<Inference>> submit(const Context& ctx, const Tensor& input);

  /// A request is on its way: an idle instance may hold what waits for it, for a moment.
  Announcement announce() noexcept;
  /// The same as a callable, for RouteOptions::announce.
  Announcer announcer() noexcept;

  /// Errors: invalid_argument, naming the knob; then nothing has changed.
  Result<void> set(const BatcherKnobs& knobs);
  /// Lets the tuner begin anew: what was learned about latencies is forgotten.
  void reset_tuning();
  /// Puts `next` in the place of the model, without a failed request: its instances are made and
  /// warmed up beside the old ones, then take over. When this returns the old model is no longer
  /// used; if it returns an error nothing has changed. One at a time. When the Context ends before
  /// the new instances have taken over they will not; `next` must then live until the Runtime has
  /// stopped.
  /// Errors: invalid_argument (another signature), conflict (a replacement is under way), and what
  /// create_instance or the warm-up returned.
  Async<void> replace(const Context& ctx, Model& next);

  const Signature& signature() const noexcept;
  BatcherSnapshot snapshot() const;
  /// The snapshot's predicted_wait alone, cheap enough to ask for every request:
  /// RouteOptions::estimate.
  Duration predicted_wait() const;

 private:
  class Impl;
  friend class BatcherAccess;
  struct WithPolicy;
  Batcher(Runtime& runtime, Model& model, BatcherOptions options, const WithPolicy& policy);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
