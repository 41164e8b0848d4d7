// SmallLock: a lock for sections of a few hundred nanoseconds that call nobody. Waiting spins, and
// gives the core away if the holder was put aside.
#pragma once

#include <atomic>
#include <thread>

#include "core/pause_cpu.hpp"

namespace aiserve::inline v0::detail {

class SmallLock {
 public:
  void lock() noexcept {
    if (held_.exchange(true, std::memory_order_acquire)) wait();
  }
  void unlock() noexcept { held_.store(false, std::memory_order_release); }

 private:
  static constexpr int kSpins = 100;

  void wait() noexcept {
    for (int spins = 1;; ++spins) {
      if (!held_.load(std::memory_order_relaxed) &&
          !held_.exchange(true, std::memory_order_acquire)) {
        return;
      }
      if (spins % kSpins == 0) {
        std::this_thread::yield();
      } else {
        pause_cpu();
      }
    }
  }

  std::atomic<bool> held_{false};
};

}  // namespace aiserve::inline v0::detail
