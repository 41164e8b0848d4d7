// SequenceTurns: the lock, the states and the waiting steps behind a SequenceBatcher. Who has the
// turn is decided by the SequenceTable.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "aiserve/core/async.hpp"
#include "aiserve/core/runtime.hpp"
#include "core/operation.hpp"
#include "decide/sequence_table.hpp"
#include "serving/sequence_metrics.hpp"
#include "serving/sequence_tensors.hpp"

namespace aiserve::inline v0::detail {

class SequenceTurns;

/// A step that has the turn of its sequence, until this is destroyed. Unless it is told otherwise
/// the step has failed, and the sequence is what it was before.
class SequenceTurn {
 public:
  SequenceTurn() noexcept = default;
  SequenceTurn(SequenceTurns& owner, const SequenceRow& row) noexcept : owner_(&owner), row_(row) {}
  SequenceTurn(SequenceTurn&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), row_(std::move(other.row_)) {}
  SequenceTurn& operator=(SequenceTurn&&) = delete;
  ~SequenceTurn();

  const SequenceRow& row() const noexcept { return row_; }
  void succeed(StateTensors state, bool last) noexcept;

 private:
  friend class SequenceTurns;
  SequenceTurns* owner_ = nullptr;
  SequenceRow row_;
};

class SequenceTurns {
 public:
  SequenceTurns(Runtime& runtime, const std::string& batcher, const decide::SequenceLimits& limits);

  /// Waits for the steps of the sequence that came before. Errors: not_found, overloaded,
  /// deadline_exceeded, cancelled.
  Async<SequenceTurn> turn(const Context& ctx, const SequenceId& id, bool start);

  void expire() noexcept;
  /// Those that wait for their turn end as cancelled.
  void cancel_all() noexcept;
  SequenceSnapshot snapshot();

 private:
  friend class SequenceTurn;
  struct Waiter final : Operation {
    bool queued = true;
  };
  using WaiterPtr = IntrusivePtr<Waiter>;
  /// What is in a slot.
  struct Record {
    StateTensors state;
    std::vector<WaiterPtr> waiters;  // in order; as many as the table counts
  };
  struct Arrival {
    std::uint32_t slot = 0;
    WaiterPtr waiter;  // null: it has the turn
  };

  Result<Arrival> arrive(const Context& ctx, const SequenceId& id, bool start);
  Error refusal(const decide::StepAdmission& admission);
  WaiterPtr queue_locked(std::uint32_t slot);
  void withdraw(std::uint32_t slot, Waiter& waiter) noexcept;
  /// The state to begin with; an error if there is none and the step needs one.
  Result<SequenceRow> begin(std::uint32_t slot, bool start);
  void finish(const SequenceRow& row, decide::StepEnd end, StateTensors state) noexcept;
  void started_locked() noexcept;
  void expire_locked() noexcept;
  void forget_locked(std::span<const std::uint32_t> expired) noexcept;
  decide::Nanos now() const noexcept { return runtime_.clock().now().time_since_epoch().count(); }

  Runtime& runtime_;
  SequenceMetrics metrics_;
  std::mutex mutex_;
  decide::SequenceTable table_;
  std::vector<Record> records_;  // by slot
  std::size_t waiting_ = 0;
  std::uint64_t started_ = 0;
  std::uint64_t expired_ = 0;
  CallbackGauge active_;
};

}  // namespace aiserve::inline v0::detail
