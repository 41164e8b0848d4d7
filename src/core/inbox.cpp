#include "core/inbox.hpp"

#include <new>
#include <utility>

#include <boost/asio/post.hpp>

#include "core/worker_loop.hpp"

namespace aiserve::inline v0::detail {
namespace {

thread_local CompletionInbox* t_draining = nullptr;

// Completions that are run while a worker waits to be notified.
constexpr std::size_t kMostHeld = 64;

}  // namespace

// Asio frees the memory of a posted function before it calls it, and only then may the next one be
// posted: turn_posted_ says so even where drain() was called by other means.
template <class T>
struct CompletionInbox::TurnAllocator {
  using value_type = T;
  explicit TurnAllocator(CompletionInbox* owner) noexcept : inbox(owner) {}
  template <class U>
  TurnAllocator(const TurnAllocator<U>& other) noexcept : inbox(other.inbox) {}
  T* allocate(std::size_t count) const noexcept {
    static_assert(sizeof(T) <= sizeof inbox->turn_ && alignof(T) <= alignof(std::max_align_t));
    static_cast<void>(count);
    return reinterpret_cast<T*>(inbox->turn_);
  }
  void deallocate(T* /*memory*/, std::size_t /*count*/) const noexcept {}
  friend bool operator==(const TurnAllocator& a, const TurnAllocator& b) noexcept {
    return a.inbox == b.inbox;
  }

  CompletionInbox* inbox;
};

struct CompletionInbox::Turn {
  using allocator_type = TurnAllocator<void>;
  allocator_type get_allocator() const noexcept { return allocator_type(inbox); }
  void operator()() const noexcept {
    inbox->turn_posted_.store(false, std::memory_order_release);
    inbox->drain();
  }

  CompletionInbox* inbox;
};

void CompletionInbox::push(InboxNode* newest, InboxNode* oldest) noexcept {
  InboxNode* head = head_.load(std::memory_order_relaxed);
  do {
    oldest->next = head;
  } while (!head_.compare_exchange_weak(head, newest, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  if (head != nullptr || turn_posted_.exchange(true, std::memory_order_acq_rel)) return;
  boost::asio::post(loop_, Turn{this});
}

void CompletionInbox::drain() noexcept {
  InboxNode* newest = head_.exchange(nullptr, std::memory_order_acq_rel);
  InboxNode* oldest = nullptr;
  while (newest != nullptr) {
    InboxNode* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  run_all(oldest);
  notify_workers();
  drained_(owner_);
}

namespace {

// The next operation, while this one runs: another thread wrote it last.
void prefetch(const InboxNode* node) noexcept {
  constexpr std::size_t kLine = 64, kLines = 4;
  const auto* bytes = reinterpret_cast<const char*>(node);
  for (std::size_t i = 0; node != nullptr && i < kLines; ++i) {
    __builtin_prefetch(bytes + i * kLine, 1);
  }
}

}  // namespace

void CompletionInbox::run_all(InboxNode* oldest) noexcept {
  // A simulated runtime drains inside a drain when a coroutine pumps it.
  CompletionInbox* const outer = std::exchange(t_draining, this);
  std::size_t held = 0;
  while (oldest != nullptr) {
    InboxNode* node = oldest;
    oldest = node->next;  // run() may free the node
    prefetch(oldest);
    node->run(node);
    // Enough is there for a batch; what follows must not keep a free worker waiting.
    if (to_notify_.empty() || ++held < kMostHeld) continue;
    notify_workers();
    held = 0;
  }
  t_draining = outer;
}

bool CompletionInbox::notify_after_drain(const std::shared_ptr<WorkerLoop>& worker) noexcept {
  if (t_draining == nullptr) return false;
  try {
    t_draining->to_notify_.push_back(worker);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void CompletionInbox::notify_workers() noexcept {
  for (const auto& worker : to_notify_) worker->notify();
  to_notify_.clear();
}

}  // namespace aiserve::inline v0::detail
