// GroupCommit: runs writes in one transaction, as they come, until it is committed, and answers
// each of them after the commit. Used by one thread at a time.
#pragma once

#include <atomic>
#include <functional>

#include "sqlite/commit_part.hpp"
#include "sqlite/write_queue.hpp"

namespace aiserve::inline v0::detail {

class GroupCommit {
 public:
  using Tasks = std::vector<WriteQueue::Task>;

  GroupCommit(Connection& connection, CommitPart& part) noexcept
      : connection_(connection), part_(part) {}

  /// Runs the tasks in the open transaction, or in a new one. A durable one does not join a
  /// transaction that will not wait for the disk: that is committed before.
  void run(Tasks tasks);
  /// Commits what was run. Every task is settled when it returns.
  void commit();
  /// Tasks that were run and wait for the commit.
  std::size_t size() const noexcept { return group_.size(); }

  std::uint64_t writes() const noexcept { return writes_.load(std::memory_order_relaxed); }
  std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

 private:
  std::optional<Error> begin(bool durable);
  /// False: one has failed half-way; what is known of it is in failure_.
  bool run_from(std::size_t first);
  void run_one_by_one();
  /// False: the store cannot be used now.
  bool mended();
  void undo() noexcept;
  /// What is thrown now.
  Error caught() noexcept;
  void fail(const Error& error);
  void answer() noexcept;

  Connection& connection_;
  CommitPart& part_;
  Tasks group_;
  bool durable_ = false;      // the open transaction
  std::int64_t changes_ = 0;  // before it
  std::optional<Error> failure_;
  bool broken_ = false;  // the disk failed: the log may have lost what did not wait for it
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> failures_{0};
};

}  // namespace aiserve::inline v0::detail
