// BatchEngine: the queue, the workers and their instances behind a Batcher. Who decides what runs
// is src/decide; here are the lock, the threads and the model.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "aiserve/core/gate.hpp"
#include "aiserve/core/runtime.hpp"
#include "decide/batch_decision.hpp"
#include "serving/batch_metrics.hpp"
#include "serving/entry_queue.hpp"

namespace aiserve::inline v0::detail {

class InstanceWorker;

class BatchEngine {
 public:
  /// `options` with everything filled in.
  BatchEngine(Runtime& runtime, Model& model, BatcherOptions options);
  ~BatchEngine();
  BatchEngine(const BatchEngine&) = delete;
  BatchEngine& operator=(const BatchEngine&) = delete;

  /// Takes the entry in, or says why not. Any thread.
  Result<void> push(const EntryPtr& entry);
  /// The caller of `entry` has gone: take it out if it still waits.
  void forget(BatchEntry& entry) noexcept;

  /// Worker: moves what it shall run now into `picked`. If there is nothing the worker counts as
  /// idle, and push() wakes it.
  decide::BatchDecision pick(InstanceWorker& worker, std::vector<EntryPtr>& picked);
  /// Worker: the batch has run and every entry holds its outcome. Takes the entries.
  void finished(std::span<EntryPtr> entries, Duration compute) noexcept;
  std::uint64_t next_batch_id() noexcept {
    return next_batch_id_.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  Model& model() noexcept { return model_; }
  Runtime& runtime() noexcept { return runtime_; }
  const BatcherOptions& options() const noexcept { return options_; }
  BatchMetrics& metrics() noexcept { return metrics_; }
  BatcherSnapshot snapshot() const;
  void log_callback_error(const Error& error) noexcept;

 private:
  Error refusal_locked() const;
  Duration predicted_wait_locked() const;
  InstanceWorker* call_idle_locked() noexcept;
  void leave_station_locked(InstanceWorker& worker) noexcept;
  void drop(BatchEntry& entry) noexcept;
  void cancel_all() noexcept;
  std::string not_ready() const;
  std::string busy_with() const;
  std::string status() const;
  Component component();

  Runtime& runtime_;
  Model& model_;
  BatcherOptions options_;
  BatchMetrics metrics_;
  Gate gate_;
  std::atomic<std::uint64_t> next_batch_id_{0};

  mutable std::mutex mutex_;
  EntryQueue queue_;
  std::vector<InstanceWorker*> idle_;  // a stack: the warmest instance runs next
  std::size_t called_ = 0;             // workers that were woken and have not picked yet
  std::size_t busy_ = 0;
  std::uint64_t computed_ = 0;
  Duration batch_time_{};  // exponentially weighted mean

  std::vector<std::unique_ptr<InstanceWorker>> workers_;
  Attachment attachment_;
};

}  // namespace aiserve::inline v0::detail
