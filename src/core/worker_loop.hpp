// WorkerLoop: the thread (or, in a simulated Runtime, the turn) behind a Worker.
#pragma once

#include <atomic>
#include <thread>

#include "aiserve/core/clock.hpp"
#include "aiserve/core/worker.hpp"
#include "core/parking.hpp"

namespace aiserve::inline v0::detail {

class WorkerLoop {
 public:
  /// `spin`: how long to look for a signal before it sleeps.
  WorkerLoop(WorkerOptions options, Clock& clock, Duration spin) noexcept
      : options_(std::move(options)), clock_(clock), spin_(spin) {}
  WorkerLoop(const WorkerLoop&) = delete;
  WorkerLoop& operator=(const WorkerLoop&) = delete;

  using Failed = std::function<void(const Error&)>;
  void start_thread(Failed failed);
  void wake() noexcept {
    if (signal()) notify();
  }
  /// wake() in two steps: true if the caller has to notify(), soon.
  bool signal() noexcept { return parking_.signal(); }
  void notify() noexcept { parking_.wake(); }
  void request_stop() noexcept;
  bool running() const noexcept { return running_.load(std::memory_order_acquire); }
  /// Its thread has ended (or is about to return).
  bool ended() const noexcept { return started_ && !running(); }
  void join();
  const WorkerOptions& options() const noexcept { return options_; }

  /// Simulated: begins on the first call; one step if it is due. True if a step was made.
  bool turn(const Failed& failed);
  Deadline wait_until() const noexcept {
    return began_ == Began::failed ? Deadline::never() : wait_until_;
  }
  void end_simulated();

 private:
  void thread_main(const Failed& failed);
  bool begin(const Failed& failed);

  WorkerOptions options_;
  Clock& clock_;
  Duration spin_;
  Parking parking_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> running_{false};
  bool started_ = false;
  std::thread thread_;
  Deadline wait_until_{TimePoint::min()};
  enum class Began : std::uint8_t { no, yes, failed } began_ = Began::no;
};

}  // namespace aiserve::inline v0::detail
