#include "aiserve/core/async.hpp"

#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "aiserve/core/telemetry.hpp"
#include "core/operation.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0 {
namespace detail {
namespace asio = boost::asio;
namespace {

// Our operations end by their Context, never by Asio's cancellation, whose exception would hit
// every later co_await of the frame, clean-up included.
Task guarded(Task task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await std::move(task);
}

Task counted(Task task, Operation* latch, std::size_t* left) {
  co_await guarded(std::move(task));
  if (--*left == 0) latch->settle(Operation::Outcome::completed);
}

Task passing(Task task, Gate::Pass /*inside*/) { co_await guarded(std::move(task)); }

}  // namespace

Task join(std::span<Task> tasks) {
  const auto latch = make_intrusive<Operation>();
  if (!latch->bind(nullptr)) throw ResultError(Error(Errc::internal, "not on an I/O thread"));
  std::size_t left = tasks.size();
  for (Task& task : tasks) {
    asio::co_spawn(latch->home()->executor(), counted(std::move(task), latch.get(), &left),
                   asio::detached);
  }
  // Members refer to the caller's frame, so nothing but their end may let us go on.
  // The latch watches no Context: cancellation reaches the members, not this wait.
  co_await latch->wait();
}

void launch(Runtime& runtime, Task task) {
  RuntimeCore& core = runtime.core();
  IoThread* io = core.any_io();
  Gate::Pass pass = core.spawned().enter();
  if (io == nullptr || !pass) {
    core.telemetry().log().warn("spawn refused: the runtime is draining");
    return;
  }
  asio::co_spawn(io->loop(), passing(std::move(task), std::move(pass)), asio::detached);
}

void block_until_done(Runtime& runtime, Task task) {
  RuntimeCore& core = runtime.core();
  IoThread* io = core.any_io();
  if (io == nullptr || core.state() == RuntimeState::stopped) return;
  if (core.loop_owner() == LoopOwner::simulation) {
    bool done = false;
    asio::co_spawn(io->loop(), guarded(std::move(task)),
                   [&](const std::exception_ptr&) { done = true; });
    core.pump();
    if (!done) throw ResultError(Error(Errc::internal, "block_on would wait for simulated time"));
    return;
  }
  if (IoThread::current(&core) != nullptr) {
    throw ResultError(Error(Errc::internal, "block_on was called on an I/O thread"));
  }
  std::promise<void> done;
  std::future<void> ended = done.get_future();
  asio::co_spawn(io->loop(), guarded(std::move(task)),
                 [done = std::move(done)](const std::exception_ptr&) mutable { done.set_value(); });
  try {
    ended.get();
  } catch (const std::future_error&) {
    // The loop was destroyed with the operation in it: the slot stays empty, which says so.
  }
}

void log_lost(Runtime& runtime, const Context& ctx, const Error& error) noexcept {
  const std::string text = error.to_string();
  runtime.telemetry().log().warn(ctx, "a spawned operation failed", {{"error", text}});
}

struct DeadlineGuard::Timer : TimerNode {
  explicit Timer(const Context& context) : TimerNode(&Timer::expired), ctx(context) {}
  static void expired(TimerNode* node) noexcept {
    static_cast<Timer*>(node)->ctx.cancel(CancelReason::deadline);
  }
  Context ctx;
  IoThread* home = IoThread::current();
};

DeadlineGuard::DeadlineGuard(const Context& ctx) {
  if (!ctx.deadline().reachable()) return;
  timer_ = std::make_unique<Timer>(ctx);
  if (timer_->home != nullptr) timer_->home->arm(*timer_, ctx.deadline().at());
}

// The node disarms itself, also when its I/O thread has gone before.
DeadlineGuard::~DeadlineGuard() = default;

Deadline deadline_after(Duration delay) noexcept {
  const IoThread* home = IoThread::current();
  const Clock& clock = home != nullptr ? home->core().clock() : Clock::steady();
  return Deadline::after(clock.now(), delay);
}

Async<void> run_on_pool(RuntimeCore& core, const Context& ctx, bool cpu,
                        std::shared_ptr<PoolTask> task) {
  const auto operation = make_intrusive<Operation>();
  if (!operation->bind(&core)) co_return Error(Errc::internal, "not on an I/O thread");
  const bool queued = core.pool(cpu).submit([operation, task] {
    if (!operation->pending()) return;  // the caller gave up while the task waited
    task->run();
    operation->settle(Operation::Outcome::completed);
  });
  if (!queued) {
    co_return Error(Errc::overloaded,
                    "too many calls wait for the " + core.pool(cpu).name() + " pool")
        .retry_after(std::chrono::milliseconds(100));
  }
  operation->watch(ctx);
  co_await operation->wait();
  if (operation->outcome() != Operation::Outcome::completed) co_return operation->error();
  co_return success();
}

}  // namespace detail

Async<void> sleep(const Context& ctx, Duration delay) {
  using detail::Operation;
  struct Timer : detail::TimerNode {
    explicit Timer(Operation& op) : TimerNode(&Timer::fired), operation(op) {}
    static void fired(TimerNode* node) noexcept {
      static_cast<Timer*>(node)->operation.settle(Operation::Outcome::completed);
    }
    Operation& operation;
  };
  const auto operation = detail::make_intrusive<Operation>();
  if (!operation->bind(nullptr)) co_return Error(Errc::internal, "not on an I/O thread");
  detail::IoThread* home = operation->home();
  Timer timer(*operation);
  const Deadline due = detail::deadline_after(delay);
  if (due.reachable()) home->arm(timer, due.at());
  operation->watch(ctx);
  co_await operation->wait();
  home->disarm(timer);
  if (operation->outcome() != Operation::Outcome::completed) co_return operation->error();
  co_return success();
}

}  // namespace aiserve::inline v0
