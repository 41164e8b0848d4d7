// BatchEngine: the lock, the workers and the entries behind a Batcher. What is decided is decided
// by the Scheduler; what is computed by a BatchBackend.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "aiserve/core/announcement.hpp"
#include "aiserve/core/gate.hpp"
#include "aiserve/core/runtime.hpp"
#include "aiserve/serving/batcher.hpp"
#include "decide/scheduler.hpp"
#include "serving/batch_gauges.hpp"
#include "serving/batch_metrics.hpp"
#include "serving/compute_slots.hpp"
#include "serving/fleet.hpp"
#include "serving/tuning.hpp"

namespace aiserve::inline v0::detail {

class BatchEngine final : private Announcement::Listener {
 public:
  /// `options` checked and with everything filled in. Without a placer all requests can share a
  /// batch.
  BatchEngine(Runtime& runtime, std::unique_ptr<BatchBackend> backend,
              std::unique_ptr<BatchPlacer> placer, BatcherOptions options,
              decide::BatchPolicy policy);
  ~BatchEngine();
  BatchEngine(const BatchEngine&) = delete;
  BatchEngine& operator=(const BatchEngine&) = delete;

  // Callers, any thread.

  /// Takes the entries in; those that it does not take hold the reason, and `refused` is set.
  void push(std::span<const EntryPtr> entries);
  /// The caller of `entry` has gone: take it out if it still waits.
  void forget(BatchEntry& entry) noexcept;
  Announcement announce() noexcept;
  Result<void> set(const BatcherKnobs& knobs);
  void reset_tuning();
  Async<void> replace(const Context& ctx, std::unique_ptr<BatchBackend> backend);
  BatcherSnapshot snapshot() const;
  Duration predicted_wait() const;
  /// Rows that can stay together now.
  std::size_t largest_group() const;
  void log_callback_error(const Error& error) noexcept;

  // Workers.

  /// The instance is there, or never will be.
  void begun(InstanceWorker& worker, const Result<void>& outcome);
  /// It is gone.
  void ended(InstanceWorker& worker) noexcept;
  /// Moves what the worker shall run now into its `running`. If there is nothing it counts as idle,
  /// and push() wakes it.
  decide::BatchDecision pick(InstanceWorker& worker);
  /// The batch has run and every entry of `running` holds its outcome.
  void finished(InstanceWorker& worker, const decide::BatchDecision& ran, Duration compute,
                std::size_t reruns) noexcept;
  /// A warm-up batch took so long.
  void observe(InstanceWorker& worker, std::size_t rows, Duration took);
  std::uint64_t next_batch_id() noexcept {
    return next_batch_id_.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  Runtime& runtime() noexcept { return runtime_; }
  const BatcherOptions& options() const noexcept { return options_; }
  BatchMetrics& metrics() noexcept { return metrics_; }

 private:
  struct Leaving;  // entries that are settled after the lock is let go
  struct Picking;
  /// Of a compute slot, by a worker that picks.
  enum class SlotUse : std::uint8_t {
    held,    // taken and in use, or not to be had
    unused,  // taken, and there was nothing to run
    none,    // not tried: what is set aside is for others
  };

  // engine.cpp
  void take_in_locked(const EntryPtr& entry, Gate::Pass pass, Leaving& leaving);
  Error refusal_locked(const decide::Admission& admission) const;
  void call_workers_locked(std::vector<InstanceWorker*>& to_wake);
  void leave_station_locked(InstanceWorker& worker) noexcept;
  void stand_locked(InstanceWorker& worker, const decide::BatchDecision& decision);
  void serve_locked(InstanceWorker& worker, TimePoint now, Picking& picking);
  void sort_out_locked(InstanceWorker& worker, Picking& picking);
  bool acquire_slot_locked();
  decide::BatchDecision pick_locked(InstanceWorker& worker, TimePoint now);
  void board_locked(InstanceWorker& worker);
  EntryPtr take_out_locked(decide::QueueItem& item) noexcept;
  void retract() noexcept override;
  void slot_free() noexcept;
  void wake_all(const std::vector<InstanceWorker*>& workers) const noexcept;
  void cancel_all() noexcept;
  Component component();

  // engine_control.cpp
  void man(Fleet& fleet);
  void begun_locked(Fleet& fleet);
  void learn_locked(const Fleet& fleet);
  void allow_learning_locked(const Fleet& fleet);
  void set_rules_locked(const BatcherKnobs& knobs);
  void switch_fleets_locked();
  void complete_replacement_locked(Fleet& old);
  void apply_tuning_locked();
  void tick();

  // engine_status.cpp
  std::vector<InstanceWorker*> hung_locked(TimePoint now) const;
  std::string not_ready() const;
  std::string busy_with() const;
  std::string status() const;

  Runtime& runtime_;
  BatcherOptions options_;
  BatchMetrics metrics_;
  Gate gate_;
  std::atomic<std::uint64_t> next_batch_id_{0};

  mutable std::mutex mutex_;
  std::unique_ptr<BatchPlacer> placer_;
  decide::Scheduler scheduler_;
  std::vector<InstanceWorker*> idle_;     // a stack: the warmest instance runs next
  std::vector<InstanceWorker*> holding_;  // wait for what is announced
  std::size_t called_ = 0;                // workers that were woken and have not picked yet
  std::size_t busy_ = 0;
  std::size_t active_;        // workers that may be busy
  bool slot_wanted_ = false;  // all compute slots are taken; slot_free() will come
  std::uint64_t computed_ = 0;
  Duration computing_{};
  std::uint64_t reruns_ = 0;
  std::uint64_t version_ = 1;
  Duration hard_limit_;
  bool learn_cap_;
  RunRules rules_;
  Tuning tuning_;
  ComputeSlotsClient slots_;
  BatchGauges gauges_;

  std::unique_ptr<Fleet> fleet_;
  std::unique_ptr<Fleet> next_fleet_;
  std::vector<std::unique_ptr<Fleet>> old_fleets_;
  Attachment attachment_;
};

}  // namespace aiserve::inline v0::detail
