#include "aiserve/core/context.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "aiserve/core/id.hpp"
#include "core/recycling_allocator.hpp"

namespace aiserve::inline v0 {
namespace detail {

struct ContextState : CancelListener {
  explicit ContextState(ContextOptions&& given)
      : CancelListener(&ContextState::on_parent_cancelled),
        options(std::move(given)),
        deadline(options.deadline) {}
  ContextState(std::shared_ptr<ContextState> parent_state, ContextOptions&& given)
      : ContextState(std::move(given)) {
    parent = std::move(parent_state);
    if (!parent->listen(*this)) cancel(parent->reason.load(std::memory_order_acquire));
  }
  ~ContextState() {
    if (parent != nullptr) parent->unlisten(*this);
  }
  ContextState(const ContextState&) = delete;
  ContextState& operator=(const ContextState&) = delete;

  bool cancel(CancelReason why) noexcept;
  bool listen(CancelListener& listener) noexcept;
  void unlisten(CancelListener& listener) noexcept;
  std::stop_token stop_token();
  const std::string& request_id();

  static void on_parent_cancelled(CancelListener& self, CancelReason why) noexcept {
    static_cast<ContextState&>(self).cancel(why);
  }

  ContextOptions options;
  std::atomic<Deadline> deadline;
  std::shared_ptr<ContextState> parent;
  std::atomic<CancelReason> reason{CancelReason::none};
  bool immortal = false;

 private:
  CancelListener* pop_running() noexcept;

  std::mutex mutex_;
  CancelListener* listeners_ = nullptr;
  std::atomic<CancelListener*> running_{nullptr};
  std::thread::id canceller_;
  std::optional<std::stop_source> stop_source_;
};

// Listeners run one at a time without the lock held, as std::stop_callback does it: a listener may
// touch this Context again, and unlisten() on another thread waits only for the one that runs.
bool ContextState::cancel(CancelReason why) noexcept {
  if (immortal || why == CancelReason::none) return false;
  auto expected = CancelReason::none;
  if (!reason.compare_exchange_strong(expected, why, std::memory_order_acq_rel)) return false;
  while (CancelListener* listener = pop_running()) {
    listener->callback_(*listener, why);
    running_.store(nullptr, std::memory_order_release);
    running_.notify_all();
  }
  std::optional<std::stop_source> source;
  {
    const std::scoped_lock lock(mutex_);
    source = stop_source_;
  }
  if (source) source->request_stop();
  return true;
}

CancelListener* ContextState::pop_running() noexcept {
  const std::scoped_lock lock(mutex_);
  canceller_ = std::this_thread::get_id();
  CancelListener* listener = listeners_;
  if (listener == nullptr) return nullptr;
  listeners_ = listener->next_;
  if (listeners_ != nullptr) listeners_->previous_ = nullptr;
  listener->linked_ = false;
  running_.store(listener, std::memory_order_relaxed);
  return listener;
}

bool ContextState::listen(CancelListener& listener) noexcept {
  if (immortal) return true;
  const std::scoped_lock lock(mutex_);
  if (reason.load(std::memory_order_acquire) != CancelReason::none) return false;
  listener.previous_ = nullptr;
  listener.next_ = listeners_;
  if (listeners_ != nullptr) listeners_->previous_ = &listener;
  listeners_ = &listener;
  listener.linked_ = true;
  return true;
}

void ContextState::unlisten(CancelListener& listener) noexcept {
  if (immortal) return;
  std::unique_lock lock(mutex_);
  if (listener.linked_) {
    if (listener.previous_ != nullptr) listener.previous_->next_ = listener.next_;
    if (listener.next_ != nullptr) listener.next_->previous_ = listener.previous_;
    if (listeners_ == &listener) listeners_ = listener.next_;
    listener.linked_ = false;
    return;
  }
  if (running_.load(std::memory_order_acquire) != &listener) return;
  if (canceller_ == std::this_thread::get_id()) return;
  lock.unlock();
  running_.wait(&listener, std::memory_order_acquire);
}

std::stop_token ContextState::stop_token() {
  if (immortal) return {};
  std::unique_lock lock(mutex_);
  if (!stop_source_) stop_source_.emplace();
  std::stop_source source = *stop_source_;
  const bool already = reason.load(std::memory_order_acquire) != CancelReason::none;
  lock.unlock();
  if (already) source.request_stop();
  return source.get_token();
}

const std::string& ContextState::request_id() {
  const std::scoped_lock lock(mutex_);
  if (options.request_id.empty()) {
    // A child answers to the name of the request it works for.
    options.request_id = parent != nullptr ? parent->request_id() : Id::generate().to_string();
  }
  return options.request_id;
}

template <class... Args>
std::shared_ptr<ContextState> make_state(Args&&... args) {
  return std::allocate_shared<ContextState>(RecyclingAllocator<ContextState>(),
                                            std::forward<Args>(args)...);
}

}  // namespace detail

using detail::ContextState;

void detail::extend_deadline(const Context& ctx, Deadline deadline) noexcept {
  std::atomic<Deadline>& at = ctx.state_->deadline;
  Deadline now = at.load(std::memory_order_relaxed);
  while (now < deadline && !at.compare_exchange_weak(now, deadline, std::memory_order_relaxed)) {
  }
}

std::string_view to_string(CancelReason reason) noexcept {
  constexpr std::array<std::string_view, 7> kNames{"none", "client_gone", "deadline",  "shutdown",
                                                   "user", "slow_client", "lease_lost"};
  return kNames[static_cast<std::size_t>(reason)];
}

Error to_error(CancelReason reason) {
  if (reason == CancelReason::deadline) {
    return Error(Errc::deadline_exceeded, "the deadline passed");
  }
  return Error(Errc::cancelled, "cancelled: " + std::string(to_string(reason)));
}

std::string_view to_string(Priority priority) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"interactive", "normal", "background"};
  return kNames[static_cast<std::size_t>(priority)];
}

Context::Context(ContextOptions options) : state_(detail::make_state(std::move(options))) {}
Context::Context(std::shared_ptr<ContextState> state) noexcept : state_(std::move(state)) {}

const Context& Context::background() noexcept {
  static const Context context = [] {
    Context made{ContextOptions{.request_id = "background"}};
    made.state_->immortal = true;
    return made;
  }();
  return context;
}

const std::string& Context::request_id() const { return state_->request_id(); }
const Tenant& Context::tenant() const noexcept { return state_->options.tenant; }
Deadline Context::deadline() const noexcept {
  return state_->deadline.load(std::memory_order_relaxed);
}
Priority Context::priority() const noexcept { return state_->options.priority; }
const TraceParent& Context::trace() const noexcept { return state_->options.trace; }
const std::string& Context::idempotency_key() const noexcept {
  return state_->options.idempotency_key;
}
bool Context::cancellable() const noexcept { return !state_->immortal; }
const Principal& Context::principal() const noexcept { return state_->options.principal; }
CancelReason Context::reason() const noexcept {
  return state_->reason.load(std::memory_order_acquire);
}

Result<void> Context::check(TimePoint now) const {
  if (const CancelReason why = reason(); why != CancelReason::none) return to_error(why);
  if (deadline().expired(now)) return to_error(CancelReason::deadline);
  return success();
}

bool Context::cancel(CancelReason reason) const noexcept { return state_->cancel(reason); }

namespace {
ContextOptions inherited(const Context& parent) {
  return {.request_id = {},
          .tenant = parent.tenant(),
          .deadline = parent.deadline(),
          .priority = parent.priority(),
          .trace = parent.trace(),
          .idempotency_key = parent.idempotency_key(),
          .principal = parent.principal()};
}
}  // namespace

Context Context::child() const { return Context(detail::make_state(state_, inherited(*this))); }

Context Context::with_deadline(Deadline deadline) const {
  ContextOptions options = inherited(*this);
  options.deadline = options.deadline.earlier(deadline);
  return Context(detail::make_state(state_, std::move(options)));
}

Context Context::with_priority(Priority priority) const {
  ContextOptions options = inherited(*this);
  options.priority = priority;
  return Context(detail::make_state(state_, std::move(options)));
}

Context Context::with_tenant(Tenant tenant) const {
  ContextOptions options = inherited(*this);
  options.tenant = std::move(tenant);
  return Context(detail::make_state(state_, std::move(options)));
}

Context Context::with_identity(Tenant tenant, Principal principal) const {
  ContextOptions options = inherited(*this);
  options.tenant = std::move(tenant);
  options.principal = std::move(principal);
  return Context(detail::make_state(state_, std::move(options)));
}

Context Context::with_trace(const TraceParent& trace) const {
  ContextOptions options = inherited(*this);
  options.trace = trace;
  return Context(detail::make_state(state_, std::move(options)));
}

std::stop_token Context::stop_token() const { return state_->stop_token(); }
bool Context::listen(detail::CancelListener& listener) const noexcept {
  return state_->listen(listener);
}
void Context::unlisten(detail::CancelListener& listener) const noexcept {
  state_->unlisten(listener);
}

}  // namespace aiserve::inline v0
