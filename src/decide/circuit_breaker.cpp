#include "decide/circuit_breaker.hpp"

#include <algorithm>
#include <bit>

#include "decide/freshness.hpp"

namespace aiserve::inline v0::decide {

CircuitBreaker::CircuitBreaker(const BreakerPolicy& policy) noexcept
    : policy_(policy), pause_(policy.first_pause) {}

bool CircuitBreaker::allow(Nanos now) noexcept {
  if (state_ == State::closed) return true;
  // A probe that never reports is given up after as long as the pause before it.
  if (now < retry_at_) return false;
  state_ = State::probing;
  retry_at_ = saturating_add(now, pause_);
  return true;
}

void CircuitBreaker::succeeded() noexcept {
  if (state_ == State::closed) return note(false);
  if (state_ != State::probing) return;
  state_ = State::closed;
  outcomes_ = 0;
  pause_ = policy_.first_pause;
}

void CircuitBreaker::failed(Nanos now) noexcept {
  if (state_ == State::probing) {
    pause_ = pause_ > policy_.longest_pause / 2 ? policy_.longest_pause : pause_ * 2;
    return open(now);
  }
  if (state_ == State::open) return;
  note(true);
  if (std::popcount(outcomes_) >= static_cast<int>(policy_.failures)) open(now);
}

void CircuitBreaker::withdrawn(Nanos now) noexcept {
  if (state_ != State::probing) return;
  state_ = State::open;
  retry_at_ = now;
}

void CircuitBreaker::open(Nanos now) noexcept {
  state_ = State::open;
  retry_at_ = saturating_add(now, pause_);
  outcomes_ = 0;
}

void CircuitBreaker::note(bool failure) noexcept {
  const std::uint64_t mask =
      policy_.window >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << policy_.window) - 1;
  outcomes_ = ((outcomes_ << 1) | (failure ? 1U : 0U)) & mask;
}

}  // namespace aiserve::inline v0::decide
