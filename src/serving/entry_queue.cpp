#include "serving/entry_queue.hpp"

namespace aiserve::inline v0::detail {

void EntryQueue::push(EntryPtr entry) noexcept {
  BatchEntry* raw = entry.detach();
  raw->queued_ = true;
  raw->next_ = nullptr;
  raw->previous_ = newest_;
  (newest_ != nullptr ? newest_->next_ : oldest_) = raw;
  newest_ = raw;
  ++size_;
}

EntryPtr EntryQueue::pop() noexcept {
  if (oldest_ == nullptr) return {};
  BatchEntry* entry = oldest_;
  unlink(*entry);
  return EntryPtr::adopt(entry);
}

bool EntryQueue::remove(BatchEntry& entry) noexcept {
  if (!entry.queued_) return false;
  unlink(entry);
  entry.release();
  return true;
}

void EntryQueue::unlink(BatchEntry& entry) noexcept {
  (entry.previous_ != nullptr ? entry.previous_->next_ : oldest_) = entry.next_;
  (entry.next_ != nullptr ? entry.next_->previous_ : newest_) = entry.previous_;
  entry.queued_ = false;
  --size_;
}

}  // namespace aiserve::inline v0::detail
