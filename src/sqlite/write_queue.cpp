#include "sqlite/write_queue.hpp"

#include <algorithm>

namespace aiserve::inline v0::detail {
namespace {

bool is_durable(const WriteQueue::Task& task) noexcept { return task->durable(); }

}  // namespace

std::optional<Error> WriteQueue::push(Task task) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return Error(Errc::unavailable, "the store is closed");
  if (tasks_.size() >= limit_) {
    return Error(Errc::overloaded, "too many writes wait for the store")
        .retry_after(std::chrono::milliseconds(100));
  }
  durable_ += is_durable(task) ? 1U : 0U;
  tasks_.push_back(std::move(task));
  return std::nullopt;
}

std::vector<WriteQueue::Task> WriteQueue::take(std::size_t most) {
  const std::scoped_lock lock(mutex_);
  const auto end = tasks_.begin() + static_cast<std::ptrdiff_t>(std::min(most, tasks_.size()));
  std::vector<Task> group(std::move_iterator(tasks_.begin()), std::move_iterator(end));
  tasks_.erase(tasks_.begin(), end);
  durable_ -= static_cast<std::size_t>(std::count_if(group.begin(), group.end(), is_durable));
  return group;
}

std::size_t WriteQueue::size() const {
  const std::scoped_lock lock(mutex_);
  return tasks_.size();
}

bool WriteQueue::durable() const {
  const std::scoped_lock lock(mutex_);
  return durable_ > 0;
}

std::vector<WriteQueue::Task> WriteQueue::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  std::vector<Task> rest(std::move_iterator(tasks_.begin()), std::move_iterator(tasks_.end()));
  tasks_.clear();
  durable_ = 0;
  return rest;
}

}  // namespace aiserve::inline v0::detail
