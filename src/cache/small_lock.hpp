// SmallLock: a mutex of four bytes for sections of a few hundred nanoseconds; waits in the kernel
// when somebody holds it longer (three states, after Drepper, "Futexes are tricky").
#pragma once

#include <atomic>
#include <cstdint>

#include "core/pause_cpu.hpp"

namespace aiserve::inline v0::detail {

class SmallLock {
 public:
  void lock() noexcept {
    std::uint32_t expected = kFree;
    if (state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      return;
    }
    lock_contended();
  }
  void unlock() noexcept {
    if (state_.exchange(kFree, std::memory_order_release) == kWaited) state_.notify_one();
  }

 private:
  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kHeld = 1;
  static constexpr std::uint32_t kWaited = 2;

  void lock_contended() noexcept {
    for (int spin = 0; spin < 100; ++spin) {
      std::uint32_t expected = kFree;
      if (state_.load(std::memory_order_relaxed) == kFree &&
          state_.compare_exchange_weak(expected, kHeld, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        return;
      }
      pause_cpu();
    }
    while (state_.exchange(kWaited, std::memory_order_acquire) != kFree) {
      state_.wait(kWaited, std::memory_order_relaxed);
    }
  }

  std::atomic<std::uint32_t> state_{kFree};
};

}  // namespace aiserve::inline v0::detail
