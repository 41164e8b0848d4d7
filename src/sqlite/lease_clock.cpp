#include "sqlite/lease_clock.hpp"

#include <ctime>
#include <fstream>
#include <string>

#include "core/checksum.hpp"

namespace aiserve::inline v0::detail {
namespace {

std::int64_t boot_id() {
  std::string text;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> text;
  return static_cast<std::int64_t>(Checksum().add(text).finish());
}

}  // namespace

LeaseClock::LeaseClock(const Clock& clock)
    : clock_(clock), boot_(clock.manual() ? 1 : boot_id()), made_at_(clock.now()) {}

LeaseTime LeaseClock::now() const noexcept {
  if (clock_.manual()) {
    const auto since = std::chrono::floor<std::chrono::milliseconds>(clock_.now());
    return {boot_, since.time_since_epoch().count()};
  }
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return {boot_, std::int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000};
}

bool LeaseClock::booted_lately() const noexcept {
  constexpr std::chrono::minutes kLately{10};
  if (clock_.manual()) return clock_.now() - made_at_ < kLately;
  return std::chrono::milliseconds(now().ms) < kLately;
}

}  // namespace aiserve::inline v0::detail
