// WriteQueue: the writes that wait for the writer thread, bounded.
#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "core/operation.hpp"
#include "sqlite/connection.hpp"

namespace aiserve::inline v0::detail {

/// What the answer to a write says.
enum class Promise : std::uint8_t {
  durable,
  repeatable,  ///< a power cut may undo it, then it is made again: it need not wait for the disk
};

/// A write and whoever waits for it.
class WriteTask : public Operation {
 public:
  explicit WriteTask(Promise promise) noexcept : promise_(promise) {}
  bool durable() const noexcept { return promise_ == Promise::durable; }
  /// On the writer thread, inside a transaction; may run twice, when the first one was rolled back.
  virtual void run(Connection& connection) = 0;
  /// What run() or fail() left is an error.
  virtual bool failed() const noexcept = 0;
  virtual void fail(const Error& error) = 0;

 private:
  const Promise promise_;
};

template <class F>
class CallWrite final : public WriteTask {
 public:
  using ResultType = std::invoke_result_t<F&, Connection&>;

  CallWrite(F fn, Promise promise) : WriteTask(promise), fn_(std::move(fn)) {}
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
  /// One of them is durable.
  bool durable() const;
  /// Refuses from now on; what still waits is returned.
  std::vector<Task> close();

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::deque<Task> tasks_;
  std::size_t durable_ = 0;  // of those
  bool closed_ = false;
};

}  // namespace aiserve::inline v0::detail
