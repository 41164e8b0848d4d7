#include "core/worker_loop.hpp"

#include "core/inbox.hpp"
#include "core/thread_name.hpp"

namespace aiserve::inline v0::detail {

void WorkerLoop::start_thread(Failed failed) {
  started_ = true;
  running_.store(true, std::memory_order_release);
  thread_ = std::thread([this, failed = std::move(failed)] { thread_main(failed); });
}

void WorkerLoop::thread_main(const Failed& failed) {
  name_this_thread(options_.name);
  if (!stopping_.load(std::memory_order_acquire) && begin(failed)) {
    while (!stopping_.load(std::memory_order_acquire)) {
      const TimePoint now = clock_.now();
      const Deadline until = options_.step(now);
      if (until.expired(now)) continue;
      // A manual clock wakes the worker when it moves; waiting for real time would be wrong.
      const Deadline real = clock_.manual() ? Deadline::never() : until;
      if (!parking_.spin(spin_, real)) parking_.park(real);
    }
    if (options_.end) options_.end();
  }
  running_.store(false, std::memory_order_release);
}

bool WorkerLoop::begin(const Failed& failed) {
  Result<void> result = success();
  try {
    if (options_.begin) result = options_.begin();
  } catch (...) {
    result = error_from_current_exception();
  }
  began_ = result.ok() ? Began::yes : Began::failed;
  if (!result) failed(result.error());
  return result.ok();
}

void WorkerLoop::request_stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  // Whoever signalled before may not have come to notify() yet.
  signal();
  notify();
}

void WorkerLoop::join() {
  if (thread_.joinable()) thread_.join();
}

bool WorkerLoop::turn(const Failed& failed) {
  if (began_ == Began::failed) return false;
  if (stopping_.load(std::memory_order_acquire)) {
    end_simulated();
    return true;
  }
  if (began_ == Began::no && !begin(failed)) return true;
  const TimePoint now = clock_.now();
  const bool signalled = parking_.take();
  if (!signalled && !wait_until_.expired(now)) return false;
  wait_until_ = options_.step(now);
  return true;
}

void WorkerLoop::end_simulated() {
  stopping_.store(true, std::memory_order_release);
  if (began_ == Began::yes && options_.end) options_.end();
  began_ = Began::failed;
}

}  // namespace aiserve::inline v0::detail

namespace aiserve::inline v0 {

void Worker::wake() const noexcept {
  if (!loop_ || !loop_->signal()) return;
  if (!detail::CompletionInbox::notify_after_drain(loop_)) loop_->notify();
}

void Worker::retire() const noexcept {
  if (loop_) loop_->request_stop();
}

}  // namespace aiserve::inline v0
