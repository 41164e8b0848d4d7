/// Batcher: gathers single requests into batches for a Model, without making anybody wait beside
/// an idle instance.
///
/// Workers pull: an instance that becomes free takes what waits, up to max_batch, at once; while
/// all are busy the queue grows the next batch. Cancelled and expired requests never run.
/// The Model must outlive the Runtime's shutdown.
/// *Thread safety:* infer: I/O threads of the Runtime; submit and the rest: any thread.
/// *Errors:* invalid_argument (wrong tensor), overloaded with retry_after (queue full),
/// deadline_exceeded, cancelled, unavailable (draining), and what the model returned for the row.
///
///     Batcher batcher(runtime, model, {.max_batch = 64});
///     Result<Tensor> scores = co_await batcher.infer(ctx, image);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/serving/model.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace aiserve::inline v0 {

class Runtime;

struct BatcherOptions {
  /// Label in metrics, logs and /status; empty: the model's name.
  std::string name{};
  /// Rows per call at most, 1 to 65536. Raise while samples/s still grow (docs/batching.md).
  std::size_t max_batch = 64;
  /// Requests that may wait, 1 to 2^24; beyond it they are refused as overloaded.
  std::size_t max_queue = 1024;
  /// Instances, each a thread, 1 to 256; 0: what the model asks for.
  int instances = 0;
  /// Run zero-filled batches of 1 and max_batch rows before the instance is ready.
  bool warm_up = true;
};

/// Why a batch was started.
enum class DispatchReason : std::uint8_t {
  full,  ///< max_batch rows were waiting
  idle,  ///< an instance was free and took what was there
};
std::string_view to_string(DispatchReason reason) noexcept;

/// The batch that a request rode in.
struct Ride {
  std::uint64_t batch_id = 0;
  std::uint32_t size = 0;      ///< rows in the batch
  std::uint32_t position = 0;  ///< this request's row
  std::int32_t instance = -1;
  DispatchReason reason = DispatchReason::idle;
  Duration queue{};    ///< from submission until the batch was taken
  Duration compute{};  ///< of the model's run
};

class Inference {
 public:
  Inference() = default;
  Inference(Tensor output, const Ride& ride) noexcept : output_(std::move(output)), ride_(ride) {}
  const Tensor& output() const noexcept { return output_; }
  const Ride& ride() const noexcept { return ride_; }

 private:
  Tensor output_;
  Ride ride_;
};

struct BatcherSnapshot {
  std::size_t queued = 0;     ///< requests waiting
  std::size_t in_flight = 0;  ///< waiting or being computed
  int instances = 0;
  int ready_instances = 0;
  int busy_instances = 0;
  std::uint64_t batches = 0;   ///< since the start
  std::uint64_t computed = 0;  ///< rows, since the start
  Duration predicted_wait{};   ///< what a request that came now would wait, from recent batches
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

  /// For hosts without coroutines: calls `done` exactly once, on an I/O thread of the Runtime.
  using Callback = std::function<void(Result<Inference>)>;
  void submit(const Context& ctx, const Tensor& input, Callback done);

  const Signature& signature() const noexcept;
  BatcherSnapshot snapshot() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
