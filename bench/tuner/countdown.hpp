// Countdown: waits, with patience, until a number of things have happened on other threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>

#include "tuner/arrivals.hpp"

namespace tuner {

class Countdown {
 public:
  explicit Countdown(std::uint64_t left) noexcept : left_(left) {}

  void count() {
    const std::scoped_lock lock(mutex_);
    if (--left_ == 0) zero_.notify_all();
  }
  /// Throws std::runtime_error, "N `what`", when N are left after `patience`.
  void wait(Nanos patience, const char* what) {
    std::unique_lock lock(mutex_);
    const auto done = [this] { return left_ == 0; };
    if (zero_.wait_for(lock, std::chrono::nanoseconds(patience), done)) return;
    throw std::runtime_error(std::to_string(left_) + " " + what);
  }

 private:
  std::mutex mutex_;
  std::condition_variable zero_;
  std::uint64_t left_;
};

}  // namespace tuner
