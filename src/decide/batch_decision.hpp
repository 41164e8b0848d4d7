// BatchDecision: when an instance runs a batch, and how many rows it takes. Pure: no clock, no
// lock.
//
// The rule is work-conserving: no request waits while an instance is free, so the only question is
// how many of those that wait go together. Instances that are free at the same time share them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace aiserve::inline v0::decide {

/// What a free instance sees of the queue.
struct QueueView {
  std::size_t waiting = 0;
  /// Instances that are free and about to take from it, the one that asks included.
  std::size_t takers = 1;
};

struct BatchLimits {
  std::size_t max_batch = 1;
};

enum class BatchAction : std::uint8_t { sleep, run };
enum class BatchReason : std::uint8_t { full, idle };

struct BatchDecision {
  BatchAction action = BatchAction::sleep;
  std::size_t rows = 0;
  BatchReason reason = BatchReason::idle;

  friend bool operator==(const BatchDecision&, const BatchDecision&) = default;
};

constexpr BatchDecision decide_batch(const QueueView& queue, const BatchLimits& limits) noexcept {
  if (queue.waiting == 0) return {};
  const std::size_t share = (queue.waiting + queue.takers - 1) / queue.takers;
  const std::size_t rows = std::min(share, limits.max_batch);
  const BatchReason reason = rows == limits.max_batch ? BatchReason::full : BatchReason::idle;
  return {BatchAction::run, rows, reason};
}

/// What a request that joins now would wait: the batches before it, shared by the instances.
/// `batch_ns` is the recent time of one batch; 0 if nothing is known yet.
constexpr std::uint64_t predict_wait_ns(std::size_t waiting, std::size_t busy,
                                        std::size_t instances, std::size_t max_batch,
                                        std::uint64_t batch_ns) noexcept {
  if (instances == 0 || max_batch == 0) return 0;
  if (waiting == 0 && busy < instances) return 0;
  const std::size_t batches_before = waiting / max_batch + 1;
  return (batches_before + instances - 1) / instances * batch_ns;
}

}  // namespace aiserve::inline v0::decide
