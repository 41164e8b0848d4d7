#include "core/inbox.hpp"

#include <boost/asio/post.hpp>

namespace aiserve::inline v0::detail {

void CompletionInbox::push(InboxNode* node) noexcept {
  InboxNode* head = head_.load(std::memory_order_relaxed);
  do {
    node->next = head;
  } while (!head_.compare_exchange_weak(head, node, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  if (head == nullptr) boost::asio::post(loop_, [this] { drain(); });
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
