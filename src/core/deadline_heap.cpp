#include "core/deadline_heap.hpp"

namespace aiserve::inline v0::detail {

DeadlineHeap::~DeadlineHeap() {
  for (std::size_t i = 1; i < nodes_.size(); ++i) nodes_[i]->position = 0;
}

void DeadlineHeap::arm(TimerNode& node, TimePoint when) {
  if (node.armed()) disarm(node);
  node.when = when;
  node.heap = this;
  nodes_.push_back(&node);
  node.position = nodes_.size() - 1;
  sift_up(node.position);
}

void DeadlineHeap::disarm(TimerNode& node) noexcept {
  if (!node.armed()) return;
  const std::size_t hole = node.position;
  node.position = 0;
  TimerNode* last = nodes_.back();
  nodes_.pop_back();
  if (last == &node) return;
  place(last, hole);
  sift_up(hole);
  sift_down(last->position);
}

std::size_t DeadlineHeap::fire_due(TimePoint now) noexcept {
  std::size_t fired = 0;
  while (nodes_.size() > 1 && nodes_[1]->when <= now) {
    TimerNode* node = nodes_[1];
    disarm(*node);
    node->fire(node);
    ++fired;
  }
  return fired;
}

Deadline DeadlineHeap::next() const noexcept {
  return nodes_.size() > 1 ? Deadline(nodes_[1]->when) : Deadline::never();
}

void DeadlineHeap::place(TimerNode* node, std::size_t position) noexcept {
  nodes_[position] = node;
  node->position = position;
}

void DeadlineHeap::sift_up(std::size_t position) noexcept {
  TimerNode* node = nodes_[position];
  while (position > 1 && node->when < nodes_[position / 2]->when) {
    place(nodes_[position / 2], position);
    position /= 2;
  }
  place(node, position);
}

void DeadlineHeap::sift_down(std::size_t position) noexcept {
  TimerNode* node = nodes_[position];
  const std::size_t count = nodes_.size();
  while (position * 2 < count) {
    std::size_t child = position * 2;
    if (child + 1 < count && nodes_[child + 1]->when < nodes_[child]->when) ++child;
    if (node->when <= nodes_[child]->when) break;
    place(nodes_[child], position);
    position = child;
  }
  place(node, position);
}

}  // namespace aiserve::inline v0::detail
