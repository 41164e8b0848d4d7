// SqliteCore: what a SqliteDatabase and its stores share: the writer and the readers.
#pragma once

#include <atomic>
#include <mutex>

#include "aiserve/core/runtime.hpp"
#include "aiserve/sqlite/sqlite_database.hpp"
#include "core/runtime_core.hpp"
#include "decide/commit_pace.hpp"
#include "sqlite/group_commit.hpp"
#include "sqlite/job_counts.hpp"
#include "sqlite/lease_clock.hpp"

namespace aiserve::inline v0::detail {

class SqliteCore : public std::enable_shared_from_this<SqliteCore> {
 public:
  SqliteCore(Runtime& runtime, SqliteDatabaseOptions options);
  /// Begins to take part in the Runtime.
  void attach();
  /// The owner goes away.
  void detach() noexcept;

  /// `fn(Connection&) -> Result<T>` on the writer thread, inside a transaction. Answered after its
  /// commit. It may run twice, and may outlive the caller: it owns what it uses. An error that it
  /// returns after it changed something undoes that.
  template <class F>
  Async<typename std::invoke_result_t<F&, Connection&>::value_type> write(
      const Context& ctx, F fn, Promise promise = Promise::durable);

  /// `fn(Connection&) -> Result<T>` on the blocking pool, in one snapshot.
  template <class F>
  Async<typename std::invoke_result_t<F&, Connection&>::value_type> read(const Context& ctx, F fn);

  Runtime& runtime() const noexcept { return runtime_; }
  const SqliteDatabaseOptions& options() const noexcept { return options_; }
  /// Of the group that is being written: for the writer thread.
  JobCounts& job_counts() noexcept { return job_counts_; }
  LeaseTime lease_now() const noexcept { return lease_clock_.now(); }
  bool booted_lately() const noexcept { return lease_clock_.booted_lately(); }
  std::int64_t wall_ms() const noexcept;
  SqliteStats stats() const noexcept;

 private:
  /// A reader for one read; ends it when the Context does.
  class Reading {
   public:
    Reading(SqliteCore& core, const Context& ctx);
    ~Reading();
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    Connection& connection() noexcept { return *connection_; }

   private:
    static int interrupt(void* self) noexcept;
    SqliteCore& core_;
    const Context& ctx_;
    std::unique_ptr<Connection> connection_;
  };

  Connection::Options connection_options() const;
  Deadline step(TimePoint now);
  void commit(TimePoint began);
  void close() noexcept;
  std::optional<Error> enqueue(WriteQueue::Task task);
  Error why(const Context& ctx, const SQLite::Exception& error) const;

  Runtime& runtime_;
  const SqliteDatabaseOptions options_;
  const LeaseClock lease_clock_;
  Connection writer_connection_;
  JobCounts job_counts_;  // the writer thread's
  GroupCommit writer_;
  WriteQueue queue_;
  decide::CommitPace pace_;              // the writer thread's, as is
  Duration worked_{};                    // for the open transaction
  std::atomic<std::size_t> wake_at_{1};  // so many writes that wait
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Connection>> readers_;  // idle ones
  std::shared_ptr<WorkerLoop> worker_;
  Attachment attachment_;
};

template <class F>
Async<typename std::invoke_result_t<F&, Connection&>::value_type> SqliteCore::write(
    const Context& ctx, F fn, Promise promise) {
  const auto task = make_intrusive<CallWrite<F>>(std::move(fn), promise);
  if (!task->bind(&runtime_.core())) co_return Error(Errc::internal, "not on an I/O thread");
  if (auto refused = enqueue(WriteQueue::Task::share(task.get()))) co_return std::move(*refused);
  task->watch(ctx);
  co_await task->wait();
  if (task->outcome() != Operation::Outcome::completed) co_return task->error();
  co_return std::move(task->result);
}

template <class F>
Async<typename std::invoke_result_t<F&, Connection&>::value_type> SqliteCore::read(
    const Context& ctx, F fn) {
  using R = std::invoke_result_t<F&, Connection&>;
  const auto work = [self = shared_from_this(), ctx, fn = std::move(fn)]() -> R {
    try {
      Reading reading(*self, ctx);
      return fn(reading.connection());
    } catch (const SQLite::Exception& error) {
      return self->why(ctx, error);
    }
  };
  co_return co_await runtime_.blocking(ctx, work);
}

}  // namespace aiserve::inline v0::detail
