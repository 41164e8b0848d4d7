// InstanceWorker: one instance and the thread that pulls batches for it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aiserve/core/worker.hpp"
#include "decide/scheduler.hpp"
#include "serving/batch_runner.hpp"

namespace aiserve::inline v0::detail {

class BatchEngine;
struct Fleet;

class InstanceWorker {
 public:
  /// Where the worker stands; the engine's, under its lock.
  enum class Station : std::uint8_t {
    working,
    idle,     ///< in the engine's list of idle ones
    holding,  ///< waits for an announced arrival, in the engine's list of those
    called,   ///< woken for a request, and not there yet
    parked,   ///< its fleet does not serve (yet, or any more), or it waits for a compute slot
  };

  InstanceWorker(BatchEngine& engine, Fleet& fleet, int index);
  ~InstanceWorker() { worker_.retire(); }
  InstanceWorker(const InstanceWorker&) = delete;
  InstanceWorker& operator=(const InstanceWorker&) = delete;

  // The engine's, under its lock; the worker reads `running` while it runs it.
  Station station = Station::working;
  std::vector<EntryPtr> running;
  RunRules rules;                 // of what is running
  bool reported = false;          // as hung
  decide::Picked picked;          // between pick() and its end only
  std::vector<EntryPtr> leaving;  // the worker's alone

  Fleet& fleet() const noexcept { return fleet_; }
  int index() const noexcept { return index_; }
  void wake() const noexcept { worker_.wake(); }
  /// Its thread ends after the step it makes.
  void retire() const noexcept { worker_.retire(); }
  bool ready() const noexcept { return ready_.load(std::memory_order_acquire); }
  /// Any thread: how long the current batch runs, zero if none does.
  Duration running_for(TimePoint now) const noexcept;
  std::string busy_with() const;

 private:
  Result<void> begin();
  Result<void> make_ready();
  Result<void> warm_up();
  Deadline step();
  void run_batch(const decide::BatchDecision& decision);
  std::uint16_t run_parts();
  Result<void> run_part(std::span<const EntryPtr> entries) noexcept;
  void deliver(const decide::BatchDecision& decision, TimePoint begun, std::uint16_t reruns);
  void record(Ride ride, TimePoint begun, TimePoint ended) noexcept;
  void trace(const Ride& ride) noexcept;
  void end() noexcept;

  BatchEngine& engine_;
  Fleet& fleet_;
  int index_;
  std::unique_ptr<BatchRunner> runner_;
  std::atomic<bool> ready_{false};
  std::atomic<std::int64_t> running_since_{0};  // ns on the clock, 0 = idle
  std::atomic<std::size_t> running_rows_{0};
  Worker worker_;
};

}  // namespace aiserve::inline v0::detail
