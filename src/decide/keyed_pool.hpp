// KeyedPool: nodes found by key, made on first use and used again after they were closed, so that
// opening and closing them all the time allocates nothing. Memory follows the most that were open.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace aiserve::inline v0::decide {

/// Base of a node. `Key` has `std::uint64_t hash() const` and ==.
template <class Key, class Node>
struct KeyedNode {
  Key key{};
  Node* chain = nullptr;  // next in its bucket, or next that is free
  std::size_t index = 0;  // among the open ones
};

template <class Key, class Node>
class KeyedPool {
 public:
  KeyedPool() : buckets_(16) {}
  KeyedPool(const KeyedPool&) = delete;
  KeyedPool& operator=(const KeyedPool&) = delete;

  std::size_t size() const noexcept { return open_.size(); }
  /// In no particular order.
  const std::vector<Node*>& nodes() const noexcept { return open_; }

  Node* find(const Key& key) const noexcept {
    Node* node = buckets_[bucket(key)];
    while (node != nullptr && !(node->key == key)) node = node->chain;
    return node;
  }

  /// Precondition: none with that key is open. The node is as its last user left it. Throws
  /// bad_alloc and has changed nothing then.
  Node& open(const Key& key) {
    reserve_one();
    Node& node = *free_;
    free_ = node.chain;
    node.key = key;
    node.index = open_.size();
    open_.push_back(&node);
    link(node);
    return node;
  }

  void close(Node& node) noexcept {
    Node** link = &buckets_[bucket(node.key)];
    while (*link != &node) link = &(*link)->chain;
    *link = node.chain;
    open_[node.index] = open_.back();
    open_[node.index]->index = node.index;
    open_.pop_back();
    release(node);
  }

 private:
  std::size_t bucket(const Key& key) const noexcept {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the hash.
    const std::uint64_t mixed = key.hash() * 0x9E3779B97F4A7C15u;
    return mixed >> (64 - std::countr_zero(buckets_.size()));
  }

  void link(Node& node) noexcept {
    Node*& first = buckets_[bucket(node.key)];
    node.chain = first;
    first = &node;
  }

  void release(Node& node) noexcept {
    node.chain = free_;
    free_ = &node;
  }

  void reserve_one() {
    if (open_.size() == open_.capacity()) open_.reserve(2 * open_.size() + 4);
    if (open_.size() >= buckets_.size()) rehash();
    if (free_ == nullptr) release(nodes_.emplace_back());
  }

  void rehash() {
    buckets_ = std::vector<Node*>(2 * buckets_.size());
    for (Node* node : open_) link(*node);
  }

  std::deque<Node> nodes_;
  std::vector<Node*> buckets_;  // a power of two of them
  std::vector<Node*> open_;
  Node* free_ = nullptr;
};

}  // namespace aiserve::inline v0::decide
