#include "events/mailbox.hpp"

#include <utility>

namespace aiserve::inline v0::detail {

void Mailbox::push(const BusEvent& event) {
  const std::scoped_lock lock(mutex_);
  if (state_ != State::open) return;
  if (!make_room(event.payload.size())) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    if (options_.overflow == Overflow::close) state_ = State::overflowed;
    return;
  }
  bytes_ += event.payload.size();
  events_.push_back(event);
  wake();
}

// One event may always wait, whatever its size.
bool Mailbox::make_room(std::size_t bytes) {
  const auto full = [&] {
    return !events_.empty() &&
           (events_.size() >= options_.max_events || bytes_ + bytes > options_.max_bytes);
  };
  while (full()) {
    if (options_.overflow != Overflow::drop_oldest) return false;
    bytes_ -= events_.front().payload.size();
    events_.pop_front();
    dropped_.fetch_add(1, std::memory_order_relaxed);
  }
  return true;
}

void Mailbox::close() noexcept {
  const std::scoped_lock lock(mutex_);
  if (state_ == State::open) state_ = State::closed;
  wake();
}

void Mailbox::wake() noexcept {
  if (waiter_) waiter_->settle(Operation::Outcome::completed);
}

std::optional<Result<BusEvent>> Mailbox::take_locked() {
  if (!events_.empty()) {
    Result<BusEvent> event = std::move(events_.front());
    events_.pop_front();
    bytes_ -= event->payload.size();
    return event;
  }
  if (state_ == State::overflowed) return Error(Errc::data_loss, "the subscription fell behind");
  if (state_ == State::closed) return Error(Errc::cancelled, "the subscription is closed");
  if (waiter_) return Error(Errc::conflict, "another next() waits for the same subscription");
  return std::nullopt;
}

std::optional<Result<BusEvent>> Mailbox::take() {
  const std::scoped_lock lock(mutex_);
  return take_locked();
}

std::optional<Result<BusEvent>> Mailbox::take_or_wait(const IntrusivePtr<Operation>& waiter) {
  const std::scoped_lock lock(mutex_);
  auto taken = take_locked();
  if (!taken) waiter_ = waiter;
  return taken;
}

Async<BusEvent> Mailbox::next(const Context& ctx) {
  for (;;) {
    if (auto taken = take()) co_return std::move(*taken);
    const auto operation = make_intrusive<Operation>();
    if (!operation->bind(nullptr)) co_return Error(Errc::internal, "not on an I/O thread");
    if (auto taken = take_or_wait(operation)) co_return std::move(*taken);
    operation->watch(ctx);
    co_await operation->wait();
    {
      const std::scoped_lock lock(mutex_);
      waiter_ = IntrusivePtr<Operation>();
    }
    if (operation->outcome() != Operation::Outcome::completed) co_return operation->error();
  }
}

}  // namespace aiserve::inline v0::detail
