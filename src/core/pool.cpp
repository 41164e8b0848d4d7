#include "core/pool.hpp"

#include <utility>

#include "core/thread_name.hpp"

namespace aiserve::inline v0::detail {

Pool::Pool(std::string name, int threads, std::size_t max_queue, Clock& clock)
    : name_(std::move(name)), thread_count_(threads), max_queue_(max_queue), clock_(clock) {}

Pool::~Pool() {
  request_stop();
  join();
}

void Pool::start() {
  const std::scoped_lock lock(mutex_);
  alive_ = thread_count_;
  for (int i = 0; i < thread_count_; ++i) threads_.emplace_back([this, i] { thread_main(i); });
}

bool Pool::submit(Task task) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || queue_.size() >= max_queue_) return false;
    queue_.push_back({std::move(task), clock_.now()});
  }
  wakened_.notify_one();
  return true;
}

bool Pool::run_one() {
  std::unique_lock lock(mutex_);
  if (queue_.empty()) return false;
  Entry entry = std::move(queue_.front());
  queue_.pop_front();
  ++running_;
  lock.unlock();
  run(std::move(entry));
  lock.lock();
  --running_;
  return true;
}

void Pool::run(Entry entry) {
  if (observe_wait_) observe_wait_(clock_.now() - entry.queued_at);
  entry.task();
}

void Pool::thread_main(int index) {
  name_this_thread(name_ + "-" + std::to_string(index));
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wakened_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) break;
    }
    run_one();
  }
  const std::scoped_lock lock(mutex_);
  --alive_;
}

void Pool::request_stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wakened_.notify_all();
}

bool Pool::stopped() const {
  const std::scoped_lock lock(mutex_);
  return alive_ == 0;
}

void Pool::join() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  threads_.clear();
}

Pool::Snapshot Pool::snapshot() const {
  const std::scoped_lock lock(mutex_);
  Snapshot snapshot{thread_count_, queue_.size(), running_, {}};
  if (!queue_.empty()) snapshot.longest_wait = clock_.now() - queue_.front().queued_at;
  return snapshot;
}

}  // namespace aiserve::inline v0::detail
