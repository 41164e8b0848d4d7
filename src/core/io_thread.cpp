#include "core/io_thread.hpp"

#include <chrono>

#include <boost/asio/post.hpp>

#include "core/operation.hpp"
#include "core/pause_cpu.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace {

// The loops whose home is this thread: one for a thread of a Runtime, several when a host runs more
// than one Runtime on its own loop.
thread_local IoThread* t_first = nullptr;

}  // namespace

IoThread::IoThread(RuntimeCore& core, int index, boost::asio::io_context* host_loop)
    : core_(core),
      index_(index),
      own_loop_(host_loop == nullptr ? std::make_unique<boost::asio::io_context>(1) : nullptr),
      loop_(host_loop == nullptr ? *own_loop_ : *host_loop),
      inbox_(
          loop_, [](void* self) noexcept { static_cast<IoThread*>(self)->flush_all(); }, this),
      timer_(std::in_place, loop_.get_executor()) {
  if (own_loop_) work_.emplace(loop_.get_executor());
}

// The frames that the loop destroys still disarm timers and leave lists, so it goes before them.
IoThread::~IoThread() {
  timer_.reset();
  work_.reset();
  abandon_operations();
  own_loop_.reset();
  leave();
}

IoThread* IoThread::current(const RuntimeCore* core) noexcept {
  IoThread* thread = t_first;
  while (thread != nullptr && core != nullptr && &thread->core_ != core) {
    thread = thread->next_on_thread_;
  }
  return thread;
}

void IoThread::enter() noexcept {
  if (current(&core_) == this) return;
  next_on_thread_ = t_first;
  t_first = this;
}

void IoThread::leave() noexcept {
  for (IoThread** link = &t_first; *link != nullptr; link = &(*link)->next_on_thread_) {
    if (*link == this) {
      *link = next_on_thread_;
      return;
    }
  }
}

void IoThread::run() {
  enter();
  const Duration how_long = core_.options().spin;
  if (how_long == Duration::zero()) {
    loop_.run();
  } else {
    do {
      spin(how_long);
    } while (loop_.run_one() != 0);
  }
  leave();
}

// Until nothing has come for that long.
void IoThread::spin(Duration how_long) {
  auto end = std::chrono::steady_clock::now() + how_long;
  do {
    if (loop_.poll() != 0) end = std::chrono::steady_clock::now() + how_long;
    pause_cpu();
  } while (!loop_.stopped() && std::chrono::steady_clock::now() < end);
}

void IoThread::stop() noexcept { loop_.stop(); }

void IoThread::arm(TimerNode& node, TimePoint when) {
  timers_.arm(node, when);
  // Only an earlier deadline moves the real timer; a later one is found when that one fires.
  if (Deadline(when) < timer_armed_for_) arm_real_timer(when);
}

void IoThread::arm_real_timer(TimePoint when) {
  timer_armed_for_ = Deadline(when);
  if (core_.clock().manual()) return;
  timer_->expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(when));
  timer_->async_wait([this](const boost::system::error_code& error) {
    if (!error) check_timers();
  });
}

std::size_t IoThread::check_timers() noexcept {
  timer_armed_for_ = Deadline::never();
  const std::size_t fired = timers_.fire_due(core_.clock().now());
  const Deadline next = timers_.next();
  if (next < timer_armed_for_) arm_real_timer(next.at());
  flush_all();
  return fired;
}

void IoThread::add(Operation& operation) noexcept {
  operation.next_ = operations_;
  if (operations_ != nullptr) operations_->slot_ = &operation.next_;
  operations_ = &operation;
  operation.slot_ = &operations_;
}

void IoThread::remove(Operation& operation) noexcept {
  if (operation.slot_ == nullptr) return;
  *operation.slot_ = operation.next_;
  if (operation.next_ != nullptr) operation.next_->slot_ = operation.slot_;
  operation.slot_ = nullptr;
}

void IoThread::cancel_operations() noexcept {
  for (Operation* operation = operations_; operation != nullptr; operation = operation->next_) {
    if (operation->watched_ != nullptr) operation->settle(Operation::Outcome::cancelled);
  }
}

void IoThread::abandon_operations() noexcept {
  while (operations_ != nullptr) {
    const auto keep = IntrusivePtr<Operation>::share(operations_);
    keep->abandon();
  }
  inbox_.drain();
}

void IoThread::flush_later(FlushNode& node) noexcept {
  if (node.slot != nullptr) return;
  node.next = flush_list_;
  if (node.next != nullptr) node.next->slot = &node.next;
  flush_list_ = &node;
  node.slot = &flush_list_;
  if (flush_posted_) return;
  flush_posted_ = true;
  boost::asio::post(loop_, [this] {
    flush_posted_ = false;
    flush_all();
  });
}

void IoThread::forget(FlushNode& node) noexcept {
  if (node.slot == nullptr) return;
  *node.slot = node.next;
  if (node.next != nullptr) node.next->slot = node.slot;
  node.slot = nullptr;
  node.next = nullptr;
}

void IoThread::flush_all() noexcept {
  while (flush_list_ != nullptr) {
    FlushNode* node = flush_list_;
    forget(*node);
    node->flush(node);
  }
}

}  // namespace aiserve::inline v0::detail
