#include "decide/indexed_heap.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

struct Node {
  int key = 0;
  std::uint32_t position = 0;
};

struct ByKey {
  static bool before(const Node& a, const Node& b) { return a.key < b.key; }
  static std::uint32_t& position(Node& node) { return node.position; }
};

using Heap = IndexedHeap<Node, ByKey>;

}  // namespace

TEST_CASE("a heap sorts what is pushed into it") {
  Heap heap;
  std::deque<Node> nodes;
  for (int i = 0; i < 1000; ++i) heap.push(nodes.emplace_back(Node{i * 7919 % 1000, 0}));
  for (int i = 0; i < 1000; ++i) {
    Node& top = heap.top();
    REQUIRE(top.key == i);
    heap.erase(top);
    REQUIRE(top.position == 0);
  }
  CHECK(heap.empty());
}

TEST_CASE("nodes of a heap may leave or change their key anywhere in it") {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    std::mt19937 random(seed);
    std::deque<Node> nodes(60);
    std::vector<Node*> inside;
    Heap heap;
    for (Node& node : nodes) {
      node.key = static_cast<int>(random() % 100);
      heap.push(node);
      inside.push_back(&node);
    }
    while (!inside.empty()) {
      const auto any = inside.begin() + static_cast<long>(random() % inside.size());
      if (random() % 2 == 0) {
        (*any)->key = static_cast<int>(random() % 100);
        heap.update(**any);
      } else {
        heap.erase(**any);
        inside.erase(any);
      }
      REQUIRE(heap.size() == inside.size());
      if (inside.empty()) break;
      const Node* least = *std::min_element(inside.begin(), inside.end(),
                                            [](Node* a, Node* b) { return a->key < b->key; });
      REQUIRE(heap.top().key == least->key);
    }
  }
}
