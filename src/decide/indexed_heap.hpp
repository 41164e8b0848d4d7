// IndexedHeap: a binary heap of nodes it doesn't own, each of which knows its position, so that any
// node can leave or move in O(log n).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace aiserve::inline v0::decide {

/// `Order` says `static bool before(const T&, const T&)` and where a node keeps its position,
/// `static std::uint32_t& position(T&)`: 0 outside the heap, else 1-based.
template <class T, class Order>
class IndexedHeap {
 public:
  bool empty() const noexcept { return nodes_.empty(); }
  std::size_t size() const noexcept { return nodes_.size(); }
  /// In no particular order but that the first comes first.
  const std::vector<T*>& nodes() const noexcept { return nodes_; }
  /// Precondition: not empty.
  T& top() const noexcept { return *nodes_.front(); }

  /// Makes the next push() one that can't throw. Throws bad_alloc.
  void reserve_one() {
    if (nodes_.size() == nodes_.capacity()) nodes_.reserve(2 * nodes_.size() + 4);
  }

  void push(T& node) {
    nodes_.push_back(&node);
    sift_up(node, nodes_.size() - 1);
  }

  void erase(T& node) noexcept {
    const std::size_t hole = index_of(node);
    Order::position(node) = 0;
    T& last = *nodes_.back();
    nodes_.pop_back();
    if (&last == &node) return;
    place(last, hole);
    update(last);
  }

  /// The node's key has changed.
  void update(T& node) noexcept {
    sift_up(node, index_of(node));
    sift_down(node, index_of(node));
  }

 private:
  static std::size_t index_of(T& node) noexcept { return Order::position(node) - 1; }

  void place(T& node, std::size_t index) noexcept {
    nodes_[index] = &node;
    Order::position(node) = static_cast<std::uint32_t>(index + 1);
  }

  void sift_up(T& node, std::size_t index) noexcept {
    while (index > 0 && Order::before(node, *nodes_[(index - 1) / 2])) {
      place(*nodes_[(index - 1) / 2], index);
      index = (index - 1) / 2;
    }
    place(node, index);
  }

  void sift_down(T& node, std::size_t index) noexcept {
    for (std::size_t child = first_child(index); child < nodes_.size();) {
      if (!Order::before(*nodes_[child], node)) break;
      place(*nodes_[child], index);
      index = std::exchange(child, first_child(child));
    }
    place(node, index);
  }

  /// The child that comes first; size() or more if there is none.
  std::size_t first_child(std::size_t index) const noexcept {
    const std::size_t left = 2 * index + 1;
    const std::size_t right = left + 1;
    return right < nodes_.size() && Order::before(*nodes_[right], *nodes_[left]) ? right : left;
  }

  std::vector<T*> nodes_;
};

}  // namespace aiserve::inline v0::decide
