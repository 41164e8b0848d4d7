#include "postgres/wake_event.hpp"

#include <algorithm>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::pg {

WakeEvent::WakeEvent() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw ConfigError("postgres database: no file descriptor is left");
}

WakeEvent::~WakeEvent() { ::close(descriptor_); }

void WakeEvent::set() noexcept { ::eventfd_write(descriptor_, 1); }

void WakeEvent::clear() noexcept {
  eventfd_t count = 0;
  ::eventfd_read(descriptor_, &count);
}

bool WakeEvent::wait_until(std::chrono::steady_clock::time_point until) const noexcept {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  pollfd polled{descriptor_, POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) <= 0;
}

}  // namespace aiserve::inline v0::pg
