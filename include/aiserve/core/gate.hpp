/// Gate: counts what is inside, can be closed, and tells when it is empty. A component lets work
/// in through its gate; draining is closing the gate and waiting.
/// *Thread safety:* any thread. (The idea is Seastar's core/gate.hh.)
///
///     Gate::Pass pass = gate.enter();
///     if (!pass) return Error(Errc::unavailable, "draining");
#pragma once

#include <aiserve/core/deadline.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace aiserve::inline v0 {

class Gate {
 public:
  /// Leaves the gate when destroyed. Movable.
  class [[nodiscard]] Pass {
   public:
    Pass() noexcept = default;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }
    explicit operator bool() const noexcept { return gate_ != nullptr; }

   private:
    friend class Gate;
    explicit Pass(Gate* gate) noexcept : gate_(gate) {}
    Gate* gate_ = nullptr;
  };

  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// An empty Pass once closed.
  Pass enter() noexcept { return try_enter() ? Pass(this) : Pass(); }
  /// For intrusive users that call leave() themselves.
  bool try_enter() noexcept;
  void leave() noexcept { state_.fetch_sub(1, std::memory_order_acq_rel); }

  void close() noexcept { state_.fetch_or(kClosed, std::memory_order_acq_rel); }
  bool closed() const noexcept { return (state_.load(std::memory_order_acquire) & kClosed) != 0; }
  std::uint64_t inside() const noexcept {
    return state_.load(std::memory_order_acquire) & ~kClosed;
  }

 private:
  static constexpr std::uint64_t kClosed = std::uint64_t{1} << 63;
  std::atomic<std::uint64_t> state_{0};
};

inline bool Gate::try_enter() noexcept {
  // Optimistic: whoever finds the gate closed steps back out.
  if ((state_.fetch_add(1, std::memory_order_acq_rel) & kClosed) == 0) return true;
  leave();
  return false;
}

}  // namespace aiserve::inline v0
