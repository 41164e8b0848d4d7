/// Context: what a request or job carries through every layer: id, tenant, deadline, cancellation,
/// trace parent, priority, who asks. The first parameter of every operation, cheap to copy.
///
/// Cancellation is a flag with a reason (the first one wins) plus listeners; it never throws. A
/// child is cancelled with its parent, never the other way round, and its deadline is never later.
/// *Thread safety:* any thread.
///
///     Context child = ctx.with_deadline(Deadline::after(clock.now(), 50ms));
///     if (Result<void> alive = child.check(clock.now()); !alive) co_return alive.error();
#pragma once

#include <aiserve/core/deadline.hpp>
#include <aiserve/core/principal.hpp>
#include <aiserve/core/result.hpp>
#include <aiserve/core/tenant.hpp>
#include <aiserve/core/trace.hpp>

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace aiserve::inline v0 {

enum class CancelReason : std::uint8_t {
  none,
  client_gone,  ///< the peer closed its connection
  deadline,     ///< the deadline passed
  shutdown,     ///< the process drains and its patience is over
  user,         ///< the caller, or the last member of a flight, gave up
  slow_client,  ///< the peer does not read fast enough
  lease_lost,   ///< another worker owns the job now
};
std::string_view to_string(CancelReason reason) noexcept;

/// deadline_exceeded for `deadline`, cancelled for all others.
Error to_error(CancelReason reason);

/// Who goes first when there is not room for all.
enum class Priority : std::uint8_t { interactive, normal, background };
std::string_view to_string(Priority priority) noexcept;

/// For the entry points that make a Context (HTTP session, job runner, tests).
struct ContextOptions {
  std::string request_id{};  ///< empty: made on first use, sortable by time
  Tenant tenant{};           ///< default: the anonymous tenant
  Deadline deadline{};       ///< default: never
  Priority priority = Priority::normal;
  TraceParent trace{};            ///< default: not traced
  std::string idempotency_key{};  ///< empty: none
  Principal principal{};          ///< default: nobody
};

class Context;

namespace detail {
struct ContextState;
/// For what works for several callers, of whom more may come.
void extend_deadline(const Context& ctx, Deadline deadline) noexcept;

/// An intrusive node that is called once when its Context is cancelled, on the cancelling thread.
/// The callback may only set flags or push to an inbox.
class CancelListener {
 public:
  using Callback = void (*)(CancelListener&, CancelReason) noexcept;
  explicit CancelListener(Callback callback) noexcept : callback_(callback) {}
  CancelListener(const CancelListener&) = delete;
  CancelListener& operator=(const CancelListener&) = delete;

 private:
  friend struct ContextState;
  Callback callback_;
  CancelListener* previous_ = nullptr;
  CancelListener* next_ = nullptr;
  bool linked_ = false;
};
}  // namespace detail

class Context {
 public:
  explicit Context(ContextOptions options);
  /// Anonymous, without deadline, never cancelled.
  static const Context& background() noexcept;

  const std::string& request_id() const;
  const Tenant& tenant() const noexcept;
  Deadline deadline() const noexcept;
  Priority priority() const noexcept;
  const TraceParent& trace() const noexcept;
  const std::string& idempotency_key() const noexcept;
  /// Who asks; nobody unless something has verified it.
  const Principal& principal() const noexcept;

  /// False only for background() itself.
  bool cancellable() const noexcept;
  bool cancelled() const noexcept { return reason() != CancelReason::none; }
  CancelReason reason() const noexcept;
  /// The error to answer with if this Context is cancelled or past its deadline.
  Result<void> check(TimePoint now) const;

  /// Cancels this Context and its children. True if this call was the first.
  bool cancel(CancelReason reason) const noexcept;

  /// A child that can be cancelled alone.
  Context child() const;
  /// A child whose deadline is the earlier of the two.
  Context with_deadline(Deadline deadline) const;
  Context with_priority(Priority priority) const;
  Context with_tenant(Tenant tenant) const;
  /// The same, with who asks on the tenant's behalf.
  Context with_identity(Tenant tenant, Principal principal) const;
  Context with_trace(const TraceParent& trace) const;

  /// Made on demand, for host code that takes a std::stop_token. Its callbacks may only set flags
  /// or push to an inbox: they run on the cancelling thread.
  std::stop_token stop_token() const;

  /// False, and not linked, if the Context is cancelled already.
  bool listen(detail::CancelListener& listener) const noexcept;
  /// After this returns the callback is neither running on another thread nor will it run.
  void unlisten(detail::CancelListener& listener) const noexcept;

 private:
  friend void detail::extend_deadline(const Context& ctx, Deadline deadline) noexcept;
  explicit Context(std::shared_ptr<detail::ContextState> state) noexcept;

  std::shared_ptr<detail::ContextState> state_;
};

}  // namespace aiserve::inline v0
