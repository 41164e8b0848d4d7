// CompletionInbox: how other threads hand results to an I/O thread. An intrusive multi-producer
// list that is posted to the loop only when it turns non-empty, so that under load many completions
// share one wake-up (1.0 us against 2.7 us of CPU per operation with one post each).
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace aiserve::inline v0::detail {

class WorkerLoop;

struct InboxNode {
  using Run = void (*)(InboxNode*) noexcept;
  explicit InboxNode(Run function) noexcept : run(function) {}

  Run run;
  InboxNode* next = nullptr;
};

class CompletionInbox {
 public:
  using Drained = void (*)(void*) noexcept;
  CompletionInbox(boost::asio::io_context& loop, Drained drained, void* owner) noexcept
      : loop_(loop), drained_(drained), owner_(owner) {}

  /// Any thread. The node is run once, on the loop's thread, in order of arrival.
  void push(InboxNode* node) noexcept { push(node, node); }
  /// Several at once: `newest`, linked by `next` down to `oldest`.
  void push(InboxNode* newest, InboxNode* oldest) noexcept;
  /// Home thread: runs what is there, then calls `drained`.
  void drain() noexcept;
  bool empty() const noexcept { return head_.load(std::memory_order_acquire) == nullptr; }

  /// While this thread drains an inbox: keeps the worker and notifies it at the end, or after 64
  /// more completions, when the work for it is there. One wake-up then instead of several, and no
  /// batch of one ahead of the others. False on any other thread and at any other time.
  static bool notify_after_drain(const std::shared_ptr<WorkerLoop>& worker) noexcept;

 private:
  struct Turn;
  void run_all(InboxNode* oldest) noexcept;
  void notify_workers() noexcept;
  template <class T>
  struct TurnAllocator;

  boost::asio::io_context& loop_;
  std::atomic<InboxNode*> head_{nullptr};
  std::atomic<bool> turn_posted_{false};
  Drained drained_;
  void* owner_;
  std::vector<std::shared_ptr<WorkerLoop>> to_notify_;
  // Of the one turn that can be posted at a time: memory that one thread allocates and another
  // frees would be the slow case of every allocator.
  alignas(std::max_align_t) std::byte turn_[64];
};

}  // namespace aiserve::inline v0::detail
