#include "decide/sequence_table.hpp"

namespace aiserve::inline v0::decide {

StepAdmission SequenceTable::arrive(std::string_view tenant, std::string_view id, bool start,
                                    Nanos now) {
  const std::span<const std::uint32_t> expired = expire(now);
  const KeyView key{tenant, id};
  StepAdmission admission{StepVerdict::unknown};
  if (const auto found = index_.find(key); found != index_.end()) {
    admission = join(found->second);
  } else if (start) {
    admission = open(key, now);
  }
  admission.expired = expired;
  return admission;
}

StepAdmission SequenceTable::join(std::uint32_t index) noexcept {
  Slot& slot = slots_[index];
  if (!slot.busy) {
    unset_idle(index);
    slot.busy = true;
    ++busy_;
    return {StepVerdict::run, index};
  }
  if (slot.waiting >= limits_.max_waiting) return {StepVerdict::crowded};
  ++slot.waiting;
  return {StepVerdict::wait, index};
}

StepAdmission SequenceTable::open(KeyView key, Nanos now) {
  if (index_.size() >= limits_.max_sequences) {
    return {StepVerdict::full, 0, until_expiry(now)};
  }
  if (const auto own = tenants_.find(key.tenant);
      own != tenants_.end() && own->second >= limits_.max_per_tenant) {
    return {StepVerdict::tenant_full, 0, until_expiry(now)};
  }
  const std::uint32_t index = free_slot();
  std::size_t& of_tenant = tenants_[std::string(key.tenant)];
  const auto entry = index_.emplace(Key{std::string(key.tenant), std::string(key.id)}, index).first;
  ++of_tenant;
  Slot& slot = slots_[index];
  slot.key = &entry->first;
  slot.of_tenant = &of_tenant;
  slot.busy = true;
  ++busy_;
  free_.pop_back();
  return {StepVerdict::run, index};
}

// A bound when none is idle: those that run now may end earlier, or never.
Nanos SequenceTable::until_expiry(Nanos now) const noexcept {
  if (oldest_ == kNone) return limits_.idle_timeout;
  return limits_.idle_timeout - (now - slots_[oldest_].idle_since);
}

// Stays the last of the free ones until it is taken.
std::uint32_t SequenceTable::free_slot() {
  if (free_.empty()) {
    if (slots_.size() == slots_.capacity()) slots_.reserve(2 * slots_.size() + 4);
    free_.reserve(slots_.capacity());
    expired_.reserve(slots_.capacity());
    slots_.emplace_back();
    free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
  }
  return free_.back();
}

void SequenceTable::take(std::uint32_t index) noexcept {
  Slot& slot = slots_[index];
  --slot.waiting;
  slot.busy = true;
  ++busy_;
}

bool SequenceTable::finish(std::uint32_t index, StepEnd end, Nanos now) noexcept {
  Slot& slot = slots_[index];
  slot.busy = false;
  --busy_;
  if (end != StepEnd::unchanged) slot.live = end == StepEnd::advanced;
  if (slot.waiting != 0) return false;
  if (slot.live) {
    set_idle(index, now);
  } else {
    release(index);
  }
  return !slot.live;
}

std::span<const std::uint32_t> SequenceTable::expire(Nanos now) noexcept {
  expired_.clear();
  while (oldest_ != kNone && now - slots_[oldest_].idle_since >= limits_.idle_timeout) {
    const std::uint32_t index = oldest_;
    expired_.push_back(index);
    unset_idle(index);
    release(index);
  }
  return expired_;
}

void SequenceTable::release(std::uint32_t index) noexcept {
  Slot& slot = slots_[index];
  if (--*slot.of_tenant == 0) tenants_.erase(tenants_.find(slot.key->tenant));
  index_.erase(index_.find(*slot.key));
  slot = Slot();
  free_.push_back(index);
}

void SequenceTable::set_idle(std::uint32_t index, Nanos now) noexcept {
  Slot& slot = slots_[index];
  slot.idle_since = now;
  slot.older = newest_;
  slot.newer = kNone;
  (newest_ == kNone ? oldest_ : slots_[newest_].newer) = index;
  newest_ = index;
}

void SequenceTable::unset_idle(std::uint32_t index) noexcept {
  Slot& slot = slots_[index];
  (slot.older == kNone ? oldest_ : slots_[slot.older].newer) = slot.newer;
  (slot.newer == kNone ? newest_ : slots_[slot.newer].older) = slot.older;
  slot.older = kNone;
  slot.newer = kNone;
}

}  // namespace aiserve::inline v0::decide
