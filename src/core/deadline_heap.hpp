// DeadlineHeap: the timers of one I/O thread as an intrusive binary heap: arming and disarming are
// O(log n) without an allocation or a system call. The owner arms one real timer for next().
#pragma once

#include <cstddef>
#include <vector>

#include "aiserve/core/deadline.hpp"

namespace aiserve::inline v0::detail {

class DeadlineHeap;

/// Disarms itself when destroyed.
struct TimerNode {
  using Fire = void (*)(TimerNode*) noexcept;
  explicit TimerNode(Fire function) noexcept : fire(function) {}
  ~TimerNode();
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;

  bool armed() const noexcept { return position != 0; }

  Fire fire;
  TimePoint when{};
  DeadlineHeap* heap = nullptr;
  std::size_t position = 0;  // 1-based index in the heap, 0 = not armed
};

class DeadlineHeap {
 public:
  DeadlineHeap() = default;
  /// Lets go of what is still armed.
  ~DeadlineHeap();
  DeadlineHeap(const DeadlineHeap&) = delete;
  DeadlineHeap& operator=(const DeadlineHeap&) = delete;

  /// Arms the node, or moves it. Home thread only, as everything here.
  void arm(TimerNode& node, TimePoint when);
  void disarm(TimerNode& node) noexcept;
  /// Disarms and fires all that are due; a fired node may arm and disarm others.
  std::size_t fire_due(TimePoint now) noexcept;
  Deadline next() const noexcept;
  std::size_t size() const noexcept { return nodes_.size() - 1; }

 private:
  void place(TimerNode* node, std::size_t position) noexcept;
  void sift_up(std::size_t position) noexcept;
  void sift_down(std::size_t position) noexcept;

  std::vector<TimerNode*> nodes_{nullptr};  // nodes_[0] is unused
};

inline TimerNode::~TimerNode() {
  if (armed()) heap->disarm(*this);
}

}  // namespace aiserve::inline v0::detail
