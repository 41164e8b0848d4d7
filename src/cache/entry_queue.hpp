// EntryQueue: entries in the order they came, linked through themselves.
#pragma once

#include <cstddef>

#include "cache/entry.hpp"

namespace aiserve::inline v0::detail {

class EntryQueue {
 public:
  void push(CacheEntry* entry, std::size_t charge) noexcept {
    entry->prev = newest_;
    entry->next = nullptr;
    (newest_ != nullptr ? newest_->next : oldest_) = entry;
    newest_ = entry;
    bytes_ += charge;
    ++size_;
  }
  void remove(CacheEntry* entry, std::size_t charge) noexcept {
    (entry->prev != nullptr ? entry->prev->next : oldest_) = entry->next;
    (entry->next != nullptr ? entry->next->prev : newest_) = entry->prev;
    bytes_ -= charge;
    --size_;
  }
  /// As if the oldest had just come. The queue is not empty.
  void rotate() noexcept {
    CacheEntry* entry = oldest_;
    if (entry->next == nullptr) return;
    oldest_ = entry->next;
    oldest_->prev = nullptr;
    entry->prev = newest_;
    entry->next = nullptr;
    newest_->next = entry;
    newest_ = entry;
  }
  /// Puts `entry` where `old` is.
  void replace(CacheEntry* old, CacheEntry* entry, std::size_t old_charge,
               std::size_t charge) noexcept {
    entry->prev = old->prev;
    entry->next = old->next;
    (entry->prev != nullptr ? entry->prev->next : oldest_) = entry;
    (entry->next != nullptr ? entry->next->prev : newest_) = entry;
    bytes_ += charge;
    bytes_ -= old_charge;
  }

  CacheEntry* oldest() const noexcept { return oldest_; }
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t size() const noexcept { return size_; }

 private:
  CacheEntry* oldest_ = nullptr;
  CacheEntry* newest_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t size_ = 0;
};

}  // namespace aiserve::inline v0::detail
