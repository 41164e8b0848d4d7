// Operation: the one-shot rendezvous between a coroutine that waits on its I/O thread and whoever
// completes it elsewhere. Exactly one of completion, deadline and cancellation settles it; the
// coroutine is then resumed on its home thread through the inbox. The producer that loses sees that
// from settle() and drops its work.
#pragma once

#include <atomic>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>

#include "aiserve/core/context.hpp"
#include "core/intrusive_ptr.hpp"
#include "core/io_thread.hpp"
#include "core/waiting_handler.hpp"

namespace aiserve::inline v0::detail {

class Operation : public RefCounted, private InboxNode, private TimerNode, private CancelListener {
 public:
  enum class Outcome : std::uint8_t { pending, completed, deadline, cancelled };

  Operation() noexcept;

  /// Producer, any thread. True if this call decided the outcome: write the result before it, and
  /// leave the operation alone after it. False: the caller has gone, nobody reads the result.
  bool settle(Outcome outcome) noexcept;
  bool pending() const noexcept {
    return outcome_.load(std::memory_order_acquire) == Outcome::pending;
  }

  /// Consumer, on an I/O thread: binds the operation to this thread. Call before the producer
  /// can see the operation.
  bool bind(const RuntimeCore* core) noexcept;
  /// For callers on any thread: the outcome is delivered on `home`.
  void bind(IoThread& home) noexcept { home_ = &home; }
  IoThread* home() const noexcept { return home_; }
  /// For callers without a coroutine: `fn` is called with the outcome on the home thread.
  using Callback = void (*)(Operation&, Outcome) noexcept;
  void on_settled(Callback callback) noexcept { callback_ = callback; }

  /// Consumer: arms the deadline and the cancellation of `ctx` (kept alive by the caller) ...
  void watch(const Context& ctx);
  /// The same from any thread; `ctx` must live until the outcome is delivered.
  void watch_at_home(const Context& ctx);
  /// ... then suspends until settled: `co_await operation->wait()`, once, on the home thread. Not
  /// a coroutine of its own: it has no frame to allocate.
  auto wait() noexcept {
    return boost::asio::async_initiate<const boost::asio::deferred_t&, void()>(
        Suspend{this}, boost::asio::deferred);
  }
  /// Undoes watch(); wait() does it itself.
  void unwatch() noexcept;
  Outcome outcome() const noexcept { return outcome_.load(std::memory_order_acquire); }
  /// The error of an operation that was not completed.
  Error error() const;

 private:
  friend class IoThread;
  friend class SettledBatch;
  struct Suspend {
    Operation* operation;
    template <class Handler>
    void operator()(Handler handler) const {
      operation->suspend(std::move(handler));
    }
  };
  template <class Handler>
  void suspend(Handler handler);
  bool decide(Outcome outcome) noexcept;
  static void on_inbox(InboxNode* node) noexcept;
  static void on_timer(TimerNode* node) noexcept;
  static void on_cancel(CancelListener& listener, CancelReason reason) noexcept;
  void finish() noexcept;
  /// Destroys the waiting coroutine; only once its loop has ended.
  void abandon() noexcept;

  std::atomic<Outcome> outcome_{Outcome::pending};
  bool listening_ = false;
  bool delivered_ = false;
  IoThread* home_ = nullptr;
  const Context* watched_ = nullptr;
  Callback callback_ = nullptr;
  Operation* next_ = nullptr;  // in the home thread's list
  Operation** slot_ = nullptr;
  WaitingHandler handler_;
};

/// Settles many operations and hands them over at its end, so that their I/O thread is woken once
/// and not before the last is there. For the thread that completes them.
class SettledBatch {
 public:
  SettledBatch() noexcept = default;
  ~SettledBatch() { hand_over(); }
  SettledBatch(const SettledBatch&) = delete;
  SettledBatch& operator=(const SettledBatch&) = delete;

  /// As Operation::settle(); takes the caller's reference.
  template <class T>
  bool settle(IntrusivePtr<T> operation, Operation::Outcome outcome) noexcept {
    if (!operation->decide(outcome)) return false;
    add(operation.detach());
    return true;
  }

 private:
  void add(Operation* operation) noexcept;
  void hand_over() noexcept;

  IoThread* home_ = nullptr;  // of those gathered
  InboxNode* newest_ = nullptr;
  InboxNode* oldest_ = nullptr;
};

template <class Handler>
void Operation::suspend(Handler handler) {
  // The inbox is drained on this very thread, so nothing can be delivered before we suspend.
  if (delivered_) return std::move(handler)();
  handler_.emplace(std::move(handler));
  home_->add(*this);
}

}  // namespace aiserve::inline v0::detail
