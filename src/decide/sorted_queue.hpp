// SortedQueue: an intrusive queue ordered by a key that most nodes bring in order already: arrival
// times, or deadlines of requests with one and the same timeout. What comes in order is appended to
// a list, in O(1) however much waits; only what comes out of order pays O(log n), in a heap beside.
#pragma once

#include <cstddef>
#include <cstdint>

#include "decide/indexed_heap.hpp"

namespace aiserve::inline v0::decide {

template <class T>
struct SortedHook {
  T* previous = nullptr;
  T* next = nullptr;
  std::uint32_t place = 0;  // 0: in no queue, kInRun: in the list, else its position in the heap
};

/// `Order` says `static bool before(const T&, const T&)` and `static SortedHook<T>& hook(T&)`.
template <class T, class Order>
class SortedQueue {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  static bool contains(T& node) noexcept { return Order::hook(node).place != 0; }

  /// The first. Precondition, also of back(): not empty.
  T& front() const noexcept {
    if (late_.empty()) return *head_;
    return head_ == nullptr || Order::before(late_.top(), *head_) ? late_.top() : *head_;
  }

  /// The last; takes time for what came out of order.
  T& back() const noexcept {
    T* last = tail_;
    for (T* node : late_.nodes()) {
      if (last == nullptr || Order::before(*last, *node)) last = node;
    }
    return *last;
  }

  /// Makes the next insert() one that can't throw. Throws bad_alloc.
  void reserve_one() { late_.reserve_one(); }

  void insert(T& node) {
    if (tail_ == nullptr || !Order::before(node, *tail_)) {
      append(node);
    } else {
      late_.push(node);
    }
    ++size_;
  }

  void erase(T& node) noexcept {
    if (Order::hook(node).place == kInRun) {
      unlink(node);
    } else {
      late_.erase(node);
    }
    --size_;
  }

 private:
  static constexpr std::uint32_t kInRun = UINT32_MAX;

  struct LateOrder {
    static bool before(const T& a, const T& b) noexcept { return Order::before(a, b); }
    static std::uint32_t& position(T& node) noexcept { return Order::hook(node).place; }
  };

  void append(T& node) noexcept {
    Order::hook(node) = {tail_, nullptr, kInRun};
    (tail_ == nullptr ? head_ : Order::hook(*tail_).next) = &node;
    tail_ = &node;
  }

  void unlink(T& node) noexcept {
    const SortedHook<T> hook = Order::hook(node);
    (hook.previous == nullptr ? head_ : Order::hook(*hook.previous).next) = hook.next;
    (hook.next == nullptr ? tail_ : Order::hook(*hook.next).previous) = hook.previous;
    Order::hook(node) = {};
  }

  T* head_ = nullptr;
  T* tail_ = nullptr;
  std::size_t size_ = 0;
  IndexedHeap<T, LateOrder> late_;
};

}  // namespace aiserve::inline v0::decide
