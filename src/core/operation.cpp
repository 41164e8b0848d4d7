#include "core/operation.hpp"

#include <boost/asio/post.hpp>

namespace aiserve::inline v0::detail {

namespace asio = boost::asio;

Operation::Operation() noexcept
    : InboxNode(&Operation::on_inbox),
      TimerNode(&Operation::on_timer),
      CancelListener(&Operation::on_cancel) {}

bool Operation::decide(Outcome outcome) noexcept {
  auto expected = Outcome::pending;
  return outcome_.compare_exchange_strong(expected, outcome, std::memory_order_acq_rel);
}

bool Operation::settle(Outcome outcome) noexcept {
  if (!decide(outcome)) return false;
  retain();  // for the inbox
  home_->push(static_cast<InboxNode*>(this));
  return true;
}

bool Operation::bind(const RuntimeCore* core) noexcept {
  home_ = IoThread::current(core);
  return home_ != nullptr;
}

void Operation::watch(const Context& ctx) {
  watched_ = &ctx;
  if (ctx.deadline().reachable()) home_->arm(*this, ctx.deadline().at());
  listening_ = ctx.listen(*this);
  if (!listening_) settle(Outcome::cancelled);
}

void Operation::watch_at_home(const Context& ctx) {
  asio::post(home_->loop(), [self = IntrusivePtr<Operation>::share(this), &ctx] {
    if (!self->delivered_) self->watch(ctx);
  });
}

void Operation::unwatch() noexcept {
  if (watched_ == nullptr) return;
  home_->disarm(*this);
  if (listening_) watched_->unlisten(*this);
  listening_ = false;
}

Error Operation::error() const {
  if (outcome() == Outcome::deadline) return to_error(CancelReason::deadline);
  const CancelReason why = watched_ == nullptr ? CancelReason::none : watched_->reason();
  return to_error(why == CancelReason::none ? CancelReason::shutdown : why);
}

void Operation::on_inbox(InboxNode* node) noexcept {
  auto* self = static_cast<Operation*>(node);
  const auto keep = IntrusivePtr<Operation>::adopt(self);
  self->finish();
}

void Operation::finish() noexcept {
  unwatch();
  home_->remove(*this);
  delivered_ = true;
  if (callback_ != nullptr) {
    callback_(*this, outcome());
  } else if (handler_) {
    handler_.resume();
  }
}

void Operation::abandon() noexcept {
  unwatch();
  home_->remove(*this);
  outcome_.store(Outcome::cancelled, std::memory_order_release);
  handler_.reset();
}

void Operation::on_timer(TimerNode* node) noexcept {
  static_cast<Operation*>(node)->settle(Outcome::deadline);
}

void Operation::on_cancel(CancelListener& listener, CancelReason reason) noexcept {
  // A deadline that another component's timer noticed first is a deadline all the same.
  const bool late = reason == CancelReason::deadline;
  static_cast<Operation&>(listener).settle(late ? Outcome::deadline : Outcome::cancelled);
}

void SettledBatch::add(Operation* operation) noexcept {
  if (operation->home_ != home_) hand_over();
  home_ = operation->home_;
  operation->next = newest_;
  newest_ = operation;
  if (oldest_ == nullptr) oldest_ = operation;
}

void SettledBatch::hand_over() noexcept {
  if (newest_ == nullptr) return;
  home_->push(newest_, oldest_);
  newest_ = nullptr;
  oldest_ = nullptr;
}

}  // namespace aiserve::inline v0::detail
