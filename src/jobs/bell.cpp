#include "jobs/bell.hpp"

namespace aiserve::inline v0::detail {
namespace {

struct Alarm : TimerNode {
  explicit Alarm(Operation& woken) noexcept : TimerNode(&Alarm::fired), operation(woken) {}
  static void fired(TimerNode* node) noexcept {
    static_cast<Alarm*>(node)->operation.settle(Operation::Outcome::completed);
  }
  Operation& operation;
};

}  // namespace

void Bell::ring() noexcept {
  IntrusivePtr<Operation> woken;
  {
    const std::scoped_lock lock(mutex_);
    rung_ = true;
    woken = std::move(waiting_);
    waiting_ = {};
  }
  if (woken) woken->settle(Operation::Outcome::completed);
}

boost::asio::awaitable<void> Bell::wait(Deadline until) {
  const auto operation = make_intrusive<Operation>();
  if (!operation->bind(nullptr)) throw ResultError(Error(Errc::internal, "not on an I/O thread"));
  IoThread* home = operation->home();
  Alarm alarm(*operation);
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(rung_, false)) co_return;
    waiting_ = operation;
  }
  if (until.reachable()) home->arm(alarm, until.at());
  co_await operation->wait();
  home->disarm(alarm);
  const std::scoped_lock lock(mutex_);
  rung_ = false;
  waiting_ = {};
}

}  // namespace aiserve::inline v0::detail
