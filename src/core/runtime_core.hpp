// RuntimeCore: the state behind Runtime: threads, pools, workers, components, and the steps of
// start and shutdown (lifecycle.cpp).
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "core/io_thread.hpp"
#include "core/pool.hpp"
#include "core/pool_share.hpp"
#include "core/runtime_metrics.hpp"
#include "core/worker_loop.hpp"

namespace aiserve::inline v0::detail {

enum class RuntimeState : std::uint8_t { created, running, draining, stopped };
std::string_view to_string(RuntimeState state) noexcept;

/// Who runs the I/O loops.
enum class LoopOwner : std::uint8_t {
  runtime,    ///< own threads
  host,       ///< the host's thread, on the host's io_context
  simulation  ///< whoever calls pump(); no thread at all
};

class RuntimeCore {
 public:
  RuntimeCore(RuntimeOptions options, LoopOwner owner, boost::asio::io_context* host_loop);
  ~RuntimeCore();
  RuntimeCore(const RuntimeCore&) = delete;
  RuntimeCore& operator=(const RuntimeCore&) = delete;

  int run();
  void start();
  void shutdown(Deadline deadline);
  void stop() noexcept;
  /// A part failed for good: readiness turns false and run() ends with status 2.
  void fail(const Error& error) noexcept;

  Attachment attach(Component component);
  void detach(std::uint64_t id) noexcept;
  std::shared_ptr<WorkerLoop> add_worker(WorkerOptions options);

  Readiness readiness() const;
  std::string status() const;

  Clock& clock() const noexcept { return *clock_; }
  Telemetry& telemetry() const noexcept { return *telemetry_; }
  const RuntimeOptions& options() const noexcept { return options_; }
  RuntimeState state() const noexcept { return state_.load(std::memory_order_acquire); }
  LoopOwner loop_owner() const noexcept { return owner_; }
  int io_threads() const noexcept { return static_cast<int>(io_.size()); }
  /// Null after shutdown() has destroyed the loops.
  IoThread* io(int index) const noexcept;
  /// The caller's own I/O thread, or the next in turn.
  IoThread* any_io() noexcept;
  Pool& pool(bool cpu) noexcept { return cpu ? cpu_pool_ : blocking_pool_; }
  /// Half of the blocking threads, at least one: for calls that nobody can end.
  PoolShare& endless_calls() noexcept { return endless_calls_; }
  /// About once a second, on the first I/O thread.
  void tick();
  /// On the blocking pool: sinks and exporters are the host's and may take their time.
  void flush_telemetry_soon();
  Gate& spawned() noexcept { return spawned_; }
  /// Within a shutdown, on its thread: lets the loops go on until done(). False: not in time.
  bool wait_for(const std::function<bool()>& done, Deadline deadline);

  /// Simulation: runs loops, workers and pools on this thread until nothing is left to do now.
  void pump();
  /// Simulation: when the next timer or worker is due.
  Deadline next_event() const noexcept;

 private:
  struct Attached {
    std::uint64_t id;
    Component component;
  };

  void start_threads();
  void clock_moved();

  // lifecycle.cpp, in the order of a shutdown
  void drain(Deadline deadline);
  void wait_for_a_turn(Deadline patience);
  void close_gates(Deadline patience);
  void cancel_all();
  void wait_for_stragglers();
  bool everything_left() const;
  std::string stuck_list() const;
  void stop_workers();
  void stop_pools();
  void join_components();
  void stop_io();
  void pump_host_loop(std::chrono::milliseconds at_most);
  bool pumped_by_caller() const noexcept;
  std::vector<Component*> reversed_components();

  RuntimeOptions options_;
  LoopOwner owner_;
  std::unique_ptr<Telemetry> own_telemetry_;
  Telemetry* telemetry_;
  Clock* clock_;
  std::atomic<RuntimeState> state_{RuntimeState::created};
  std::vector<std::unique_ptr<IoThread>> io_;
  std::vector<std::thread> io_threads_;
  std::optional<std::thread::id> host_thread_;
  std::atomic<unsigned> next_io_{0};
  PoolShare endless_calls_;  // before the pool, whose last tasks use it
  Pool blocking_pool_;
  Pool cpu_pool_;
  RuntimeMetrics metrics_;
  Gate spawned_;

  mutable std::mutex mutex_;  // components, workers, failure
  std::deque<Attached> components_;
  std::uint64_t next_id_ = 1;
  std::vector<std::shared_ptr<WorkerLoop>> workers_;
  std::optional<Error> failure_;

  std::mutex stop_mutex_;
  std::condition_variable stop_wanted_;
  bool stop_requested_ = false;
};

}  // namespace aiserve::inline v0::detail
