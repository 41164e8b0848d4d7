// Parking: where one thread sleeps until others have something for it. A futex, because a condition
// variable costs a system call more per wake-up: glibc hands its mutex back as contended, and
// unlocking that calls the kernel.
#pragma once

#include <atomic>
#include <cstdint>

#include "aiserve/core/deadline.hpp"

namespace aiserve::inline v0::detail {

class Parking {
 public:
  Parking() noexcept = default;
  Parking(const Parking&) = delete;
  Parking& operator=(const Parking&) = delete;

  /// Any thread: the owner's next park() returns at once. True if it sleeps now: then this caller,
  /// and no other, has to call wake(), soon.
  bool signal() noexcept {
    return word_.exchange(kSignalled, std::memory_order_seq_cst) == kParked;
  }
  void wake() noexcept;

  /// Owner: looks for a signal that long, until then at most, without sleeping; takes it. False if
  /// none came.
  bool spin(Duration how_long, Deadline until) noexcept;
  /// Owner: sleeps until signalled, or until then on the steady clock; takes the signal.
  void park(Deadline until) noexcept;
  /// Owner: takes the signal; false if there is none.
  bool take() noexcept { return word_.exchange(kNone, std::memory_order_seq_cst) == kSignalled; }

 private:
  enum Word : std::uint32_t { kNone, kSignalled, kParked };
  std::atomic<std::uint32_t> word_{kNone};
  static_assert(sizeof(word_) == sizeof(std::uint32_t), "a futex is a plain word");
};

}  // namespace aiserve::inline v0::detail
