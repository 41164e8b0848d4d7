// WriteQueue: the writes that wait for the writer thread, bounded.
#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "core/operation.hpp"
#include "sqlite/connection.hpp"

namespace aiserve::inline v0::detail {

/// A write and whoever waits for it.
class WriteTask : public Operation {
 public:
  /// On the writer thread, inside a transaction; may run twice, when the first one was rolled back.
  virtual void run(Connection& connection) = 0;
  /// What run() or fail() left is an error.
  virtual bool failed() const noexcept = 0;
  virtual void fail(const Error& error) = 0;
};

template <class F>
class CallWrite final : public WriteTask {
 public:
  using ResultType = std::invoke_result_t<F&, Connection&>;

  explicit CallWrite(F fn) : fn_(std::move(fn)) {}
  void run(Connection& connection) override { result = fn_(connection); }
  bool failed() const noexcept override { return !result.ok(); }
  void fail(const Error& error) override { result = error; }

  ResultType result;

 private:
  F fn_;
};

class WriteQueue {
 public:
  using Task = IntrusivePtr<WriteTask>;

  explicit WriteQueue(std::size_t limit) noexcept : limit_(limit) {}

  /// Nothing, or why it was refused.
  std::optional<Error> push(Task task);
  /// At most `most`, in order.
  std::vector<Task> take(std::size_t most);
  std::size_t size() const;
  /// Refuses from now on; what still waits is returned.
  std::vector<Task> close();

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::deque<Task> tasks_;
  bool closed_ = false;
};

}  // namespace aiserve::inline v0::detail
