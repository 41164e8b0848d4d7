#include "aiserve/core/clock.hpp"

namespace aiserve::inline v0 {
namespace {

class SteadyClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const noexcept override { return std::chrono::system_clock::now(); }
};

}  // namespace

void Clock::listen(const void* /*owner*/, std::function<void()> /*moved*/) {}
void Clock::forget(const void* /*owner*/) noexcept {}

Clock& Clock::steady() noexcept {
  static SteadyClock clock;  // stateless, so not the global state that hosts would fear
  return clock;
}

}  // namespace aiserve::inline v0
