#include "core/runtime_metrics.hpp"

#include <boost/asio/post.hpp>

#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {

RuntimeMetrics::RuntimeMetrics(Metrics& metrics)
    : blocking_(metrics.histogram("aiserve_pool_wait_seconds",
                                  "Time calls waited for a pool thread", {{"pool", "blocking"}})),
      cpu_(metrics.histogram("aiserve_pool_wait_seconds", "Time calls waited for a pool thread",
                             {{"pool", "cpu"}})),
      lag_(metrics.histogram("aiserve_event_loop_lag_seconds",
                             "How late an I/O thread gets to a timer that is due")) {}

void RuntimeMetrics::watch_lag(IoThread& thread) {
  LagProbe& probe = probes_.emplace_back(thread, lag_);
  boost::asio::post(thread.loop(), [&probe] { probe.arm_next(); });
}

RuntimeMetrics::LagProbe::LagProbe(IoThread& io, Histogram& target)
    : TimerNode(&LagProbe::fired), thread(io), histogram(target) {}

void RuntimeMetrics::LagProbe::arm_next() {
  thread.arm(*this, thread.core().clock().now() + std::chrono::seconds(1));
}

void RuntimeMetrics::LagProbe::fired(TimerNode* node) noexcept {
  auto* self = static_cast<LagProbe*>(node);
  observe(self->histogram, self->thread.core().clock().now() - self->when);
  if (self->thread.index() == 0) self->thread.core().tick();
  self->arm_next();
}

}  // namespace aiserve::inline v0::detail
