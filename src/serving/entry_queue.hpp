// EntryQueue: the requests that wait, oldest first. Bounded, intrusive; a cancelled entry leaves in
// O(1). Not locked: the engine's mutex guards it.
#pragma once

#include "serving/entry.hpp"

namespace aiserve::inline v0::detail {

class EntryQueue {
 public:
  explicit EntryQueue(std::size_t capacity) noexcept : capacity_(capacity) {}
  ~EntryQueue() {
    while (pop()) {
    }
  }
  EntryQueue(const EntryQueue&) = delete;
  EntryQueue& operator=(const EntryQueue&) = delete;

  std::size_t size() const noexcept { return size_; }
  bool full() const noexcept { return size_ >= capacity_; }
  std::size_t capacity() const noexcept { return capacity_; }

  /// Precondition: not full.
  void push(EntryPtr entry) noexcept;
  /// The oldest; null when empty.
  EntryPtr pop() noexcept;
  /// False if it is not in the queue (any more).
  bool remove(BatchEntry& entry) noexcept;

 private:
  void unlink(BatchEntry& entry) noexcept;

  std::size_t capacity_;
  std::size_t size_ = 0;
  BatchEntry* oldest_ = nullptr;
  BatchEntry* newest_ = nullptr;
};

}  // namespace aiserve::inline v0::detail
