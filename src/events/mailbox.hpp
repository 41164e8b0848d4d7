// Mailbox: the bounded queue of a Subscription: filled on any thread, emptied by one coroutine.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "aiserve/events/event_bus.hpp"
#include "core/operation.hpp"

namespace aiserve::inline v0::detail {

class Mailbox {
 public:
  explicit Mailbox(const SubscribeOptions& options) noexcept : options_(options) {}

  // Any thread.
  void push(const BusEvent& event);
  void close() noexcept;
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

  Async<BusEvent> next(const Context& ctx);

 private:
  enum class State : std::uint8_t { open, overflowed, closed };

  bool make_room(std::size_t bytes);
  void wake() noexcept;
  // What next() returns without waiting; nothing if it has to wait.
  std::optional<Result<BusEvent>> take();
  // The same, but `waiter` is woken when there is something to take.
  std::optional<Result<BusEvent>> take_or_wait(const IntrusivePtr<Operation>& waiter);
  std::optional<Result<BusEvent>> take_locked();

  const SubscribeOptions options_;
  std::mutex mutex_;
  std::deque<BusEvent> events_;
  std::size_t bytes_ = 0;
  State state_ = State::open;
  IntrusivePtr<Operation> waiter_;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace aiserve::inline v0::detail
