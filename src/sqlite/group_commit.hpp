// GroupCommit: commits writes that wait at the same time in one transaction, and answers each of
// them after the commit. Used by one thread at a time.
#pragma once

#include <atomic>
#include <functional>

#include "sqlite/write_queue.hpp"

namespace aiserve::inline v0::detail {

class GroupCommit {
 public:
  explicit GroupCommit(Connection& connection) noexcept : connection_(connection) {}

  /// Every task is settled when it returns.
  void commit(std::vector<WriteQueue::Task> group);

  std::uint64_t writes() const noexcept { return writes_.load(std::memory_order_relaxed); }
  std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

 private:
  enum class Ran : std::uint8_t { committed, failed, half_done };
  Ran run_together(std::span<const WriteQueue::Task> group);
  void run_alone(const WriteQueue::Task& task);
  void fail_all(std::span<const WriteQueue::Task> group, const Error& error);

  Connection& connection_;
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> failures_{0};
};

}  // namespace aiserve::inline v0::detail
