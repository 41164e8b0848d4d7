// PostgresCore: what a PostgresDatabase and its stores share: connections, each with a thread of
// its own that takes operations from one queue.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>

#include "aiserve/core/runtime.hpp"
#include "aiserve/postgres/postgres_database.hpp"
#include "core/operation.hpp"
#include "core/runtime_core.hpp"
#include "postgres/transaction.hpp"
#include "postgres/wake_event.hpp"

namespace aiserve::inline v0::pg {

/// What is urgent waits for nothing else: it has a connection of its own, and goes first elsewhere.
enum class Urgency : std::uint8_t { ordinary, urgent };

/// An operation and whoever waits for it.
class Task : public detail::Operation {
 public:
  explicit Task(Context context) noexcept : ctx(std::move(context)) {}
  /// Inside a transaction; may run several times, each after the one before was rolled back.
  virtual void run(Transaction& transaction) = 0;
  /// What run() or fail() left is an error.
  virtual bool failed() const noexcept = 0;
  virtual void fail(const Error& error) = 0;
  /// What run() did is durable.
  virtual void committed() {}
  /// Nothing more happens to it: tells whoever waits.
  virtual void finish() { settle(Outcome::completed); }

  const Context ctx;
};

template <class F>
class CallTask final : public Task {
 public:
  using ResultType = std::invoke_result_t<F&, Transaction&>;

  CallTask(Context context, F fn) : Task(std::move(context)), fn_(std::move(fn)) {}
  void run(Transaction& transaction) override { result = fn_(transaction); }
  bool failed() const noexcept override { return !result.ok(); }
  void fail(const Error& error) override { result = error; }
  void committed() override {
    if constexpr (requires(F & fn) { fn.committed(); }) fn_.committed();
  }

  ResultType result;

 private:
  F fn_;
};

class PostgresCore : public std::enable_shared_from_this<PostgresCore> {
 public:
  using TaskPtr = detail::IntrusivePtr<Task>;

  PostgresCore(Runtime& runtime, PostgresDatabaseOptions options);
  /// Begins to take part in the Runtime.
  void attach();
  /// The owner goes away.
  void detach() noexcept;

  /// `fn(Transaction&) -> Result<T>` on a connection's thread. Answered after the commit. It may
  /// run several times, and may outlive the caller: it owns what it uses. An error that it returns
  /// rolls back.
  template <class F>
  Async<typename std::invoke_result_t<F&, Transaction&>::value_type> run(
      const Context& ctx, F fn, Urgency urgency = Urgency::ordinary);

  Runtime& runtime() const noexcept { return runtime_; }
  const PostgresDatabaseOptions& options() const noexcept { return options_; }
  PostgresStats stats() const noexcept;
  Connection::Options connection_options() const;

  /// For tasks that nobody awaits, or of a kind of their own. Refused: overloaded, unavailable.
  std::optional<Error> enqueue(TaskPtr task, Urgency urgency = Urgency::ordinary);
  /// Ends with the caller's, and with the longest operation.
  Context bounded(const Context& ctx) const;
  /// What replaces the server's clock where time is simulated, in ns.
  std::optional<std::int64_t> manual_now() const;

 private:
  struct Lane {
    Lane(PostgresCore& core, int of_all, Urgency least);
    Connection connection;
    int number;
    Urgency takes;  // and what is more urgent
    int slot;       // see Transaction::slot()
    Worker worker;
    bool idle = true;  // guarded by mutex_
  };
  struct Failure {
    Error error;
    bool retry;
  };

  /// With the lock. Null: nobody is free.
  Lane* idle_lane(Urgency urgency) noexcept;
  TaskPtr take(Lane& lane);
  Deadline step(Lane& lane);
  void serve(Lane& lane, Task& task);
  std::optional<Failure> attempt(Lane& lane, Task& task);
  std::optional<Failure> judge(const PgError& error, bool in_doubt);
  /// False: there is no time for another attempt.
  bool pause(const Task& task, std::uint32_t failures);
  Until until(const Context& ctx) const;
  void close() noexcept;

  Runtime& runtime_;
  const PostgresDatabaseOptions options_;
  WakeEvent stop_;
  mutable std::mutex mutex_;
  std::deque<TaskPtr> tasks_;
  std::deque<TaskPtr> urgent_;
  bool closed_ = false;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Attachment attachment_;
  std::atomic<std::uint64_t> committed_{0};
  std::atomic<std::uint64_t> retries_{0};
  std::atomic<std::uint64_t> connects_{0};
  std::atomic<std::uint64_t> in_doubt_{0};
};

template <class F>
Async<typename std::invoke_result_t<F&, Transaction&>::value_type> PostgresCore::run(
    const Context& ctx, F fn, Urgency urgency) {
  const Context own = bounded(ctx);
  const auto task = detail::make_intrusive<CallTask<F>>(own, std::move(fn));
  if (!task->bind(&runtime_.core())) co_return Error(Errc::internal, "not on an I/O thread");
  if (auto refused = enqueue(TaskPtr::share(task.get()), urgency)) {
    co_return std::move(*refused);
  }
  task->watch(own);
  co_await task->wait();
  if (task->outcome() != detail::Operation::Outcome::completed) co_return task->error();
  co_return std::move(task->result);
}

}  // namespace aiserve::inline v0::pg
