// JobThread: where a queue's own coroutines run: a thread with a loop of its own, so that handlers
// never hold up heartbeats. Where time is simulated, an I/O thread of the Runtime.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "aiserve/core/runtime.hpp"
#include "core/io_thread.hpp"

namespace aiserve::inline v0::detail {

class JobThread {
 public:
  JobThread(Runtime& runtime, std::string name) : runtime_(runtime), name_(std::move(name)) {}
  ~JobThread() { join(); }
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  /// Once, when the Runtime starts.
  IoThread& start();
  /// Ends the thread; what still waits on it is never resumed.
  void join() noexcept;

 private:
  Runtime& runtime_;
  const std::string name_;
  std::unique_ptr<IoThread> own_;
  std::thread thread_;
};

}  // namespace aiserve::inline v0::detail
