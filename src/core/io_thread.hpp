// IoThread: one event loop with what its thread owns: the completion inbox, the deadline heap and
// the list of things to flush once per turn. A Runtime has N of its own, or one on the host's loop.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "aiserve/core/clock.hpp"
#include "core/deadline_heap.hpp"
#include "core/inbox.hpp"

namespace aiserve::inline v0::detail {

class RuntimeCore;
class Operation;

/// Something that gathers output during a turn of the loop and writes it once at the end
/// (an HTTP connection).
struct FlushNode {
  using Flush = void (*)(FlushNode*) noexcept;
  explicit FlushNode(Flush function) noexcept : flush(function) {}
  FlushNode(const FlushNode&) = delete;
  FlushNode& operator=(const FlushNode&) = delete;

  Flush flush;
  FlushNode* next = nullptr;
  FlushNode** slot = nullptr;  // what points at this node while it is listed
};

class IoThread {
 public:
  using Executor = boost::asio::io_context::executor_type;

  /// With a loop of its own (concurrency hint 1), or on the host's.
  IoThread(RuntimeCore& core, int index, boost::asio::io_context* host_loop);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  /// The I/O thread of `core` that is the calling thread; any Runtime's when core is null.
  static IoThread* current(const RuntimeCore* core = nullptr) noexcept;

  RuntimeCore& core() const noexcept { return core_; }
  int index() const noexcept { return index_; }
  boost::asio::io_context& loop() noexcept { return loop_; }
  Executor executor() noexcept { return loop_.get_executor(); }

  /// Any thread.
  void push(InboxNode* node) noexcept { inbox_.push(node); }
  void push(InboxNode* newest, InboxNode* oldest) noexcept { inbox_.push(newest, oldest); }

  /// Home thread only, as all that follows.
  void arm(TimerNode& node, TimePoint when);
  void disarm(TimerNode& node) noexcept { timers_.disarm(node); }
  /// Calls flush once at the end of this turn. Listing a node twice is one flush.
  void flush_later(FlushNode& node) noexcept;
  void forget(FlushNode& node) noexcept;
  void flush_all() noexcept;
  /// Fires due timers and arms the real one for what is next; returns how many fired.
  std::size_t check_timers() noexcept;
  Deadline next_timer() const noexcept { return timers_.next(); }

  /// Keeps the operations that wait on this thread in a list, so that none outlives it.
  void add(Operation& operation) noexcept;
  void remove(Operation& operation) noexcept;
  /// Settles all that wait as cancelled.
  void cancel_operations() noexcept;
  /// When nothing will resume them any more: has the loop destroy the coroutines that still wait.
  void abandon_operations() noexcept;

  /// Declares the calling thread this loop's home (and undoes it).
  void enter() noexcept;
  void leave() noexcept;
  /// Runs the own loop until stop(); the body of an I/O thread.
  void run();
  void stop() noexcept;
  void release_work() noexcept { work_.reset(); }
  bool idle() const noexcept { return inbox_.empty() && flush_list_ == nullptr; }

 private:
  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  void arm_real_timer(TimePoint when);
  void spin(Duration how_long);

  RuntimeCore& core_;
  int index_;
  std::unique_ptr<boost::asio::io_context> own_loop_;
  boost::asio::io_context& loop_;
  std::optional<boost::asio::executor_work_guard<Executor>> work_;
  CompletionInbox inbox_;
  DeadlineHeap timers_;
  std::optional<Timer> timer_;
  Deadline timer_armed_for_;
  Operation* operations_ = nullptr;
  FlushNode* flush_list_ = nullptr;
  bool flush_posted_ = false;
  IoThread* next_on_thread_ = nullptr;
};

}  // namespace aiserve::inline v0::detail
