#include "cache/departures.hpp"

#include <utility>

namespace aiserve::inline v0::detail {

void Departures::tell_and_drop() noexcept {
  while (untold_ != nullptr) CacheEntry::drop(std::exchange(untold_, untold_->next));
  for (const Gone& gone : told_) {
    tell(gone);
    CacheEntry::drop(gone.entry);
  }
}

void Departures::add(CacheEntry* entry, const Record& owner, EvictionCause cause,
                     const Record& by) {
  if (listener_.call) {
    told_.push_back({entry, owner, by, cause});
    return;
  }
  entry->next = untold_;
  untold_ = entry;
}

void Departures::tell(const Gone& gone) noexcept {
  try {
    const Bytes value = gone.entry->value();
    listener_.call({gone.owner->id, gone.entry->key(), value, gone.cause, gone.by->id});
  } catch (...) {
    listener_.failures.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace aiserve::inline v0::detail
