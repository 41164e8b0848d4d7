// Pool: a few named threads with one bounded queue, for calls that block or burn CPU.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "aiserve/core/clock.hpp"

namespace aiserve::inline v0::detail {

class Pool {
 public:
  using Task = std::function<void()>;
  struct Snapshot {
    int threads = 0;
    std::size_t queued = 0;
    std::size_t running = 0;
    Duration longest_wait{};
  };

  Pool(std::string name, int threads, std::size_t max_queue, Clock& clock);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Called with the time each task waited, on the thread that runs it. Set before start().
  void on_wait(std::function<void(Duration)> observe) { observe_wait_ = std::move(observe); }
  void start();
  /// False if the queue is full or the pool has stopped.
  bool submit(Task task);
  /// Runs one queued task on this thread (simulated Runtimes, and the rest after a stop).
  bool run_one();
  /// Lets running tasks end, drops none: what is queued still runs.
  void request_stop();
  /// True when every thread has ended.
  bool stopped() const;
  void join();
  Snapshot snapshot() const;
  const std::string& name() const noexcept { return name_; }

 private:
  struct Entry {
    Task task;
    TimePoint queued_at;
  };
  void thread_main(int index);
  void run(Entry entry);

  std::string name_;
  int thread_count_;
  std::size_t max_queue_;
  Clock& clock_;
  std::function<void(Duration)> observe_wait_;
  mutable std::mutex mutex_;
  std::condition_variable wakened_;
  std::deque<Entry> queue_;
  std::size_t running_ = 0;
  int alive_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace aiserve::inline v0::detail
