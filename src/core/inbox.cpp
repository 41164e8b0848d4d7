#include "core/inbox.hpp"

#include <boost/asio/post.hpp>

namespace aiserve::inline v0::detail {

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
  while (oldest != nullptr) {
    InboxNode* node = oldest;
    oldest = node->next;  // run() may free the node
    node->run(node);
  }
  drained_(owner_);
}

}  // namespace aiserve::inline v0::detail
