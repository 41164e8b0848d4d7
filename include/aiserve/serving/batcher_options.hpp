/// BatcherOptions and BatcherKnobs: how a Batcher batches. None is required: the defaults batch
/// well, and a latency goal is the one worth setting (docs/batching.md).
/// *Thread safety:* values.
///
///     Batcher batcher(runtime, model, {.latency_goal = 20ms, .max_queue = 4096});
///     batcher.set({.max_batch = 16});  // while it runs
#pragma once

#include <aiserve/core/deadline.hpp>
#include <aiserve/core/tensor.hpp>
#include <aiserve/serving/model.hpp>
#include <aiserve/serving/shapes.hpp>

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

class ComputeSlots;

/// What one request counts for in the limit of a batch and in its tenant's share.
class BatchCost {
 public:
  using Function = std::function<double(const Tensor& first_input)>;

  /// Every request counts 1 (the default).
  static BatchCost rows() noexcept { return {}; }
  /// Elements of the first input, as padded to the end of its bucket: tokens, pixels, samples.
  static BatchCost elements() noexcept { return BatchCost(Kind::elements); }
  /// Bytes of the first input, as padded.
  static BatchCost bytes() noexcept { return BatchCost(Kind::bytes); }
  /// Anything above zero; smaller values and NaN count as 1. Called on the caller's thread.
  static BatchCost function(Function count) {
    BatchCost cost(Kind::function);
    cost.function_ = std::move(count);
    return cost;
  }

  /// Whether it is the host's function.
  bool custom() const noexcept { return kind_ == Kind::function; }
  /// `padded_elements` of the first input, if that is more than it has.
  double operator()(const Tensor& first_input, std::size_t padded_elements) const;

 private:
  enum class Kind : std::uint8_t { rows, elements, bytes, function };
  BatchCost() = default;
  explicit BatchCost(Kind kind) noexcept : kind_(kind) {}

  Kind kind_ = Kind::rows;
  Function function_{};
};

struct BatcherOptions {
  /// Label in metrics, logs and /status. Default: the model's name.
  std::string name{};
  /// 99 % of the requests shall be answered within this time: batch size, active instances and
  /// admission are then found while running (docs/batching.md). Default: no goal. At least 100 us.
  Duration latency_goal{};
  /// Rows per call at most, 1 to 65536. The model's own knee is found below it.
  std::size_t max_batch = 64;
  /// Rows that may wait, 1 to 2^24; beyond it requests are refused as overloaded, first those of
  /// the tenant that has most waiting for its weight.
  std::size_t max_queue = 1024;
  /// Instances, each a thread, 1 to 256; 0: what the model asks for.
  int instances = 0;
  /// Run zero-filled batches of growing size before the instance is ready, and learn from them what
  /// a batch takes and which size is worth it (fixed shapes). Models that see real rows only are
  /// never warmed up.
  bool warm_up = true;
  /// Stop at the size beyond which rows/s no longer grow; off: max_batch, whatever it brings.
  bool learn_cap = true;

  /// What a request counts for, and what a batch may count at most (> 0).
  BatchCost cost = BatchCost::rows();
  double max_cost = std::numeric_limits<double>::infinity();

  /// Longest hold for announced arrivals, 0 to 200 us; a tenth of T(1) if that is less.
  Duration max_hold = std::chrono::microseconds(200);
  /// A request that waited so long in its priority class moves one class up. Zero: never.
  Duration ageing = std::chrono::seconds(1);

  /// Requests of several shapes (models with dimensions of -1).
  ShapeOptions shapes{};
  /// Fail the rows whose output has a NaN in it.
  NanPolicy nan_outputs = NanPolicy::allow;
  /// A batch that fails as a whole is run again in halves, so that a poisoned row fails alone. Off
  /// for models with effects.
  bool isolate_failures = true;
  /// Re-runs of one batch at most, 0 to 1000.
  std::size_t max_reruns = 32;
  /// A call that takes longer is reported, and readiness turns false until it returns. Zero: never.
  Duration hard_limit = std::chrono::seconds(30);

  /// Instance i runs on CPU cpus[i % size]. Default: wherever the kernel puts it.
  std::vector<int> cpus{};
  /// Shares these with other batchers: a batch runs only in a slot. Must outlive the Batcher.
  ComputeSlots* slots = nullptr;
  /// This Batcher's part of contended slots, relative to others; > 0.
  double slots_weight = 1;
};

/// What can be changed while running; what is not set stays. Freezing stops the tuner where it is.
struct BatcherKnobs {
  /// 1 up to BatcherOptions::max_batch.
  std::optional<std::size_t> max_batch{};
  std::optional<std::size_t> max_queue{};
  /// Instances that may run at the same time, 1 to `instances`.
  std::optional<int> active_instances{};
  std::optional<double> max_cost{};
  std::optional<Duration> max_hold{};
  /// Zero: no goal any more.
  std::optional<Duration> latency_goal{};
  std::optional<Duration> hard_limit{};
  std::optional<Duration> ageing{};
  std::optional<bool> learn_cap{};
  /// These three count from the next batch on.
  std::optional<NanPolicy> nan_outputs{};
  std::optional<bool> isolate_failures{};
  std::optional<std::size_t> max_reruns{};
  std::optional<double> slots_weight{};
  std::optional<bool> frozen{};
};

}  // namespace aiserve::inline v0
