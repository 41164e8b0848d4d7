#include "http/client/origin_pool.hpp"

#include <algorithm>
#include <chrono>

#include "core/runtime_core.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using v0::detail::make_intrusive;
using v0::detail::Operation;
using v0::detail::TimerNode;

decide::Nanos nanos(std::chrono::milliseconds time) noexcept { return Duration(time).count(); }

decide::BreakerPolicy policy_of(const ClientBreakerOptions& options) noexcept {
  return {options.window, std::max(options.failures, 1U), nanos(options.first_pause),
          nanos(options.longest_pause)};
}

}  // namespace

struct OriginPool::Idle : TimerNode {
  Idle(OriginPool& owner, IdleConnection&& kept)
      : TimerNode(&Idle::expired), pool(owner), connection(std::move(kept)) {}
  static void expired(TimerNode* node) noexcept {
    auto& self = *static_cast<Idle*>(node);
    self.pool.drop(self);
  }
  OriginPool& pool;
  IdleConnection connection;
};

OriginPool::OriginPool(v0::detail::IoThread& home, const ClientOptions& options,
                       ClientMetrics& metrics)
    : home_(home),
      options_(options),
      metrics_(metrics),
      sessions_(home.core().clock()),
      breaker_(policy_of(options.breaker)),
      budget_({options.retry.budget, options.retry.burst}) {}

OriginPool::~OriginPool() { metrics_.idle.add(-static_cast<double>(idle_.size())); }

decide::Nanos OriginPool::now() const noexcept {
  return home_.core().clock().now().time_since_epoch().count();
}

Async<OriginPool::Slot> OriginPool::enter(const Context& ctx) {
  last_used_ = home_.core().clock().now();
  if (busy_ < options_.max_connections) {
    ++busy_;
    metrics_.busy.add(1);
    co_return Slot(*this);
  }
  if (waiting_.size() >= options_.max_waiting) {
    std::erase_if(waiting_, [](const auto& waiter) { return !waiter->pending(); });
  }
  if (waiting_.size() >= options_.max_waiting) {
    co_return Error(Errc::overloaded, "too many calls wait for a connection to the service")
        .retry_after(std::chrono::milliseconds(100));
  }
  const auto waiter = make_intrusive<Operation>();
  waiter->bind(home_);
  waiting_.push_back(waiter);
  waiter->watch(ctx);
  co_await waiter->wait();
  // Whoever left has given its place to this call.
  if (waiter->outcome() == Operation::Outcome::completed) co_return Slot(*this);
  co_return waiter->error();
}

void OriginPool::leave() noexcept {
  while (!waiting_.empty()) {
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next->settle(Operation::Outcome::completed)) return;
  }
  --busy_;
  metrics_.busy.add(-1);
}

std::optional<IdleConnection> OriginPool::take_idle() {
  while (!idle_.empty()) {
    IdleConnection connection = std::move(idle_.back().connection);
    drop(idle_.back());
    if (connection.quiet()) return connection;
  }
  return std::nullopt;
}

void OriginPool::keep(IdleConnection connection) {
  if (!connection.socket || idle_.size() >= options_.max_connections) return;
  Idle& kept = idle_.emplace_back(*this, std::move(connection));
  metrics_.idle.add(1);
  last_used_ = home_.core().clock().now();
  home_.arm(kept, last_used_ + options_.idle_timeout);
}

void OriginPool::drop(Idle& idle) noexcept {
  idle_.remove_if([&idle](const Idle& other) { return &other == &idle; });
  metrics_.idle.add(-1);
}

bool OriginPool::Permit::ask(Duration& rest) noexcept {
  if (held_) return true;
  decide::CircuitBreaker& breaker = pool_.breaker_;
  held_ = pool_.options_.breaker.failures == 0 || breaker.allow(pool_.now());
  probe_ = held_ && breaker.state() == decide::CircuitBreaker::State::probing;
  if (!held_) rest = Duration(breaker.retry_at() - pool_.now());
  return held_;
}

void OriginPool::Permit::report(bool failure) noexcept {
  held_ = probe_ = false;
  pool_.report(failure);
}

void OriginPool::Permit::drop() noexcept {
  held_ = false;
  if (std::exchange(probe_, false)) pool_.breaker_.withdrawn(pool_.now());
}

void OriginPool::report(bool failure) noexcept {
  using State = decide::CircuitBreaker::State;
  const bool was_open = breaker_.state() == State::open;
  if (failure) {
    breaker_.failed(now());
  } else {
    breaker_.succeeded();
  }
  const bool opened = !was_open && breaker_.state() == State::open;
  if (opened && options_.breaker.failures != 0) metrics_.breaker_opened.inc();
}

}  // namespace aiserve::inline v0::http::detail
