#include "core/parking.hpp"

#include <cerrno>
#include <chrono>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/pause_cpu.hpp"

namespace aiserve::inline v0::detail {
namespace {

// CLOCK_MONOTONIC is what std::chrono::steady_clock reads.
timespec to_timespec(TimePoint when) noexcept {
  const auto since_boot = when.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
  return {.tv_sec = seconds.count(),
          .tv_nsec = std::chrono::nanoseconds(since_boot - seconds).count()};
}

}  // namespace

void Parking::wake() noexcept {
  ::syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

bool Parking::spin(Duration how_long, Deadline until) noexcept {
  if (how_long == Duration::zero()) return false;
  const TimePoint end =
      Deadline::after(std::chrono::steady_clock::now(), how_long).earlier(until).at();
  do {
    if (word_.load(std::memory_order_acquire) == kSignalled) return take();
    pause_cpu();
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

void Parking::park(Deadline until) noexcept {
  std::uint32_t expected = kNone;
  if (word_.compare_exchange_strong(expected, kParked, std::memory_order_seq_cst)) {
    const timespec limit = until.reachable() ? to_timespec(until.at()) : timespec{};
    while (word_.load(std::memory_order_seq_cst) == kParked) {
      const long result =
          ::syscall(SYS_futex, &word_, FUTEX_WAIT_BITSET_PRIVATE, kParked,
                    until.reachable() ? &limit : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
      if (result == -1 && errno == ETIMEDOUT) break;
    }
  }
  take();
}

}  // namespace aiserve::inline v0::detail
