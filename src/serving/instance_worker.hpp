// InstanceWorker: one model instance and the thread that pulls batches for it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aiserve/core/worker.hpp"
#include "serving/batch_builder.hpp"
#include "serving/engine.hpp"

namespace aiserve::inline v0::detail {

class InstanceWorker {
 public:
  /// Where the worker stands; the engine's, under its lock.
  enum class Station : std::uint8_t {
    working,
    idle,    ///< in the engine's list
    called,  ///< woken for a request, and not there yet
  };

  InstanceWorker(BatchEngine& engine, int index);
  ~InstanceWorker() { worker_.retire(); }
  InstanceWorker(const InstanceWorker&) = delete;
  InstanceWorker& operator=(const InstanceWorker&) = delete;

  Station station = Station::working;
  void wake() const noexcept { worker_.wake(); }
  bool ready() const noexcept { return ready_.load(std::memory_order_acquire); }
  int index() const noexcept { return index_; }
  /// Any thread: how long the current batch runs, zero if none does.
  Duration running_for(TimePoint now) const noexcept;
  std::string busy_with() const;

 private:
  Result<void> begin();
  Deadline step();
  void run_batch(const decide::BatchDecision& decision);
  Result<void> call_model(Batch& batch) noexcept;
  void end() noexcept;

  BatchEngine& engine_;
  int index_;
  BatchBuilder builder_;
  std::unique_ptr<ModelInstance> instance_;
  std::vector<EntryPtr> picked_;
  std::vector<TensorRow*> rows_;  // of picked_
  std::atomic<bool> ready_{false};
  std::atomic<std::int64_t> running_since_{0};  // ns on the clock, 0 = idle
  std::atomic<std::size_t> running_rows_{0};
  Worker worker_;
};

}  // namespace aiserve::inline v0::detail
