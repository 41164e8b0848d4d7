// WakeEvent: an eventfd: readable from set() to clear().
#pragma once

#include <chrono>

namespace aiserve::inline v0::pg {

class WakeEvent {
 public:
  /// Throws ConfigError when there is no file descriptor.
  WakeEvent();
  ~WakeEvent();
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  int descriptor() const noexcept { return descriptor_; }
  void set() noexcept;
  void clear() noexcept;
  /// False if it was set before.
  bool wait_until(std::chrono::steady_clock::time_point until) const noexcept;

 private:
  int descriptor_;
};

}  // namespace aiserve::inline v0::pg
