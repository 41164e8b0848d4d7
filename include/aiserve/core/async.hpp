/// Async<T>: a coroutine that ends in a Result<T>, and the few ways to combine them.
///
/// Asio's own awaitable operators and cancellation are not used (see docs/concepts.md): here an
/// error Result stops `all`, never wins `first`, and cancellation travels in the Context.
/// Name every argument of an awaited call; what is passed by reference must outlive it.
/// *Thread safety:* everything here runs on, and returns to, the I/O thread of the caller, which
/// must be an I/O thread of a Runtime; block_on and spawn are callable from any other thread too.
///
///     auto image = [&](const Context& c) { return fetch(c, url); };
///     auto user = [&](const Context& c) { return load(c, id); };
///     Result<std::tuple<Tensor, User>> both = co_await all(ctx, image, user);
#pragma once

#include <aiserve/core/context.hpp>
#include <aiserve/core/result.hpp>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include <boost/asio/awaitable.hpp>

namespace aiserve::inline v0 {

class Runtime;

template <class T>
using Async = boost::asio::awaitable<Result<T>>;

namespace detail {

using Task = boost::asio::awaitable<void>;

template <class A>
struct AsyncValue;
template <class T, class E>
struct AsyncValue<boost::asio::awaitable<Result<T>, E>> {
  using type = T;
};
template <class F, class... Args>
using AsyncValueOf = typename AsyncValue<std::invoke_result_t<F&, Args...>>::type;

template <class T>
using NotVoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// Runs all tasks side by side on the caller's I/O thread; returns when every one has ended.
Task join(std::span<Task> tasks);
/// Counted by the Runtime, which waits for it when it drains. Errors are logged by the task.
void launch(Runtime& runtime, Task task);
void block_until_done(Runtime& runtime, Task task);
void log_lost(Runtime& runtime, const Context& ctx, const Error& error) noexcept;

/// Arms the deadline of `ctx` on this I/O thread: cancels it with reason deadline.
class DeadlineGuard {
 public:
  explicit DeadlineGuard(const Context& ctx);
  ~DeadlineGuard();
  DeadlineGuard(const DeadlineGuard&) = delete;
  DeadlineGuard& operator=(const DeadlineGuard&) = delete;

 private:
  struct Timer;
  std::unique_ptr<Timer> timer_;
};

Deadline deadline_after(Duration delay) noexcept;

template <class T, class F>
Task run_member(const F& fn, const Context& ctx, std::optional<Result<T>>& slot, bool stop_on_ok,
                bool stop_on_error) {
  try {
    slot.emplace(co_await fn(ctx));
  } catch (...) {
    slot.emplace(error_from_current_exception());
  }
  if (slot->ok() ? stop_on_ok : stop_on_error) ctx.cancel(CancelReason::user);
}

template <class T>
NotVoid<T> take(std::optional<Result<T>>& slot) {
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(**slot);
  }
}

template <class F, class... Args>
Task detached(Runtime* runtime, Context ctx, F fn, Args... args) {
  Error lost;
  try {
    auto result = co_await fn(std::as_const(ctx), std::as_const(args)...);
    if (result.ok()) co_return;
    lost = result.error();
  } catch (...) {
    lost = error_from_current_exception();
  }
  log_lost(*runtime, ctx, lost);
}

template <class T>
Task into(Async<T> operation, std::optional<Result<T>>& slot) {
  try {
    slot.emplace(co_await std::move(operation));
  } catch (...) {
    slot.emplace(error_from_current_exception());
  }
}

}  // namespace detail

/// Runs every `fn(const Context&) -> Async<T>` side by side. At the first error the child Context
/// they share is cancelled; all are awaited; that first error (in argument order) is returned.
template <class... F>
Async<std::tuple<detail::NotVoid<detail::AsyncValueOf<const F, const Context&>>...>> all(
    const Context& ctx, const F&... fn) {
  const Context child = ctx.child();
  std::tuple<std::optional<Result<detail::AsyncValueOf<const F, const Context&>>>...> slots;
  auto tasks = std::apply(
      [&](auto&... slot) {
        return std::array<detail::Task, sizeof...(F)>{
            detail::run_member(fn, child, slot, false, true)...};
      },
      slots);
  co_await detail::join(tasks);
  // The error that cancelled the others is told from the `cancelled` it caused in them.
  const Error* first = nullptr;
  const auto consider = [&](const auto& slot) {
    if (slot->ok()) return;
    const Error& error = slot->error();
    if (first == nullptr || (first->code() == Errc::cancelled && error.code() != Errc::cancelled)) {
      first = &error;
    }
  };
  std::apply([&](const auto&... slot) { (consider(slot), ...); }, slots);
  if (first != nullptr) co_return *first;
  co_return std::apply([](auto&... slot) { return std::make_tuple(detail::take(slot)...); }, slots);
}

/// The first success; the others are cancelled and awaited. If none succeeds, the last error in
/// argument order. All must have one result type.
template <class F, class... More>
Async<detail::AsyncValueOf<const F, const Context&>> first(const Context& ctx, const F& fn,
                                                           const More&... more) {
  using T = detail::AsyncValueOf<const F, const Context&>;
  const Context child = ctx.child();
  std::array<std::optional<Result<T>>, 1 + sizeof...(More)> slots;
  std::size_t i = 0;
  std::array<detail::Task, 1 + sizeof...(More)> tasks{
      detail::run_member(fn, child, slots[i++], true, false),
      detail::run_member(more, child, slots[i++], true, false)...};
  co_await detail::join(tasks);
  for (auto& slot : slots) {
    if (slot->ok()) co_return std::move(*slot);
  }
  co_return slots.back()->error();
}

/// Awaits `fn(child)` under a deadline of `delay` from now (or the Context's own, if earlier).
template <class F>
Async<detail::AsyncValueOf<const F, const Context&>> with_deadline(const Context& ctx,
                                                                   Duration delay, const F& fn) {
  const Context child = ctx.with_deadline(detail::deadline_after(delay));
  const detail::DeadlineGuard guard(child);
  co_return co_await fn(child);
}

/// Ends after `delay`, or early with the error of the Context.
Async<void> sleep(const Context& ctx, Duration delay);

/// Starts `fn(ctx, args...)` on an I/O thread of `runtime` and forgets it: the callable is moved,
/// the Context and the arguments are copied. An error it ends with is logged.
template <class F, class... Args>
void spawn(Runtime& runtime, const Context& ctx, F fn, Args... args) {
  detail::launch(runtime, detail::detached(&runtime, ctx, std::move(fn), std::move(args)...));
}

/// Waits on a plain thread (never on an I/O thread) until the operation has ended.
template <class T>
Result<T> block_on(Runtime& runtime, Async<T> operation) {
  std::optional<Result<T>> slot;
  detail::block_until_done(runtime, detail::into(std::move(operation), slot));
  if (!slot) return Error(Errc::cancelled, "the runtime stopped");
  return std::move(*slot);
}

}  // namespace aiserve::inline v0
