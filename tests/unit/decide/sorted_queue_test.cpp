#include "decide/sorted_queue.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

struct Node {
  int key = 0;
  SortedHook<Node> hook;
};

struct ByKey {
  static bool before(const Node& a, const Node& b) { return a.key < b.key; }
  static SortedHook<Node>& hook(Node& node) { return node.hook; }
};

using Queue = SortedQueue<Node, ByKey>;

int pop(Queue& queue) {
  Node& first = queue.front();
  queue.erase(first);
  return first.key;
}

}  // namespace

TEST_CASE("a sorted queue hands out in order what came in order, and what did not") {
  Queue queue;
  std::deque<Node> nodes;
  for (const int key : {1, 5, 5, 3, 9, 2, 10, 4}) queue.insert(nodes.emplace_back(Node{key, {}}));
  CHECK(queue.back().key == 10);
  std::vector<int> keys;
  while (!queue.empty()) keys.push_back(pop(queue));
  CHECK(keys == std::vector{1, 2, 3, 4, 5, 5, 9, 10});
}

TEST_CASE("equal keys that come in order stay in order") {
  Queue queue;
  std::deque<Node> nodes(4);
  for (Node& node : nodes) queue.insert(node);
  for (Node& node : nodes) {
    CHECK(&queue.front() == &node);
    queue.erase(node);
  }
}

TEST_CASE("a node knows whether it is in a queue") {
  Queue queue;
  Node first{2, {}};
  Node late{1, {}};
  CHECK_FALSE(Queue::contains(first));
  queue.insert(first);
  queue.insert(late);
  CHECK(Queue::contains(first));
  CHECK(Queue::contains(late));
  queue.erase(first);
  queue.erase(late);
  CHECK_FALSE(Queue::contains(first));
  CHECK_FALSE(Queue::contains(late));
}

TEST_CASE("nodes may leave a sorted queue from anywhere: the rest stays sorted") {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    std::mt19937 random(seed);
    Queue queue;
    std::deque<Node> nodes;
    std::vector<Node*> waiting;
    for (int i = 0; i < 100; ++i) {
      if (random() % 3 != 0) {
        const int key = random() % 4 == 0 ? static_cast<int>(random() % 100) : i;
        waiting.push_back(&nodes.emplace_back(Node{key, {}}));
        queue.insert(*waiting.back());
      } else if (!waiting.empty()) {
        const auto any = waiting.begin() + static_cast<long>(random() % waiting.size());
        queue.erase(**any);
        waiting.erase(any);
      }
      REQUIRE(queue.size() == waiting.size());
      if (waiting.empty()) continue;
      const auto [least, most] = std::minmax_element(
          waiting.begin(), waiting.end(), [](Node* a, Node* b) { return a->key < b->key; });
      REQUIRE(queue.front().key == (*least)->key);
      REQUIRE(queue.back().key == (*most)->key);
    }
  }
}
