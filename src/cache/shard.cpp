#include "cache/shard.hpp"

#include <algorithm>

namespace aiserve::inline v0::detail {
namespace {

// Looking at every tenant for every eviction is exact; beyond so many tenants a choice is kept for
// a while, so that an eviction looks at eight on average.
constexpr std::size_t kLanesPerEviction = 8;
// Likewise, of a lane of many entries a few may go at one choice: it makes no difference to them.
constexpr std::size_t kEntriesPerExtra = 128;
constexpr std::size_t kMostExtra = 7;

std::size_t magnitude(std::ptrdiff_t delta) noexcept {
  return static_cast<std::size_t>(delta < 0 ? -delta : delta);
}

}  // namespace

// What an insertion changes, applied at once when room was found: in the steady state an entry
// comes and one of the same size goes, and nothing that all threads share is written.
struct CacheShard::Balance {
  std::ptrdiff_t own = 0;    // bytes of the tenant
  std::ptrdiff_t total = 0;  // bytes of the cache

  void taken(std::size_t bytes) noexcept {
    own += static_cast<std::ptrdiff_t>(bytes);
    total += static_cast<std::ptrdiff_t>(bytes);
  }
  void freed_own(std::size_t bytes) noexcept {
    own -= static_cast<std::ptrdiff_t>(bytes);
    total -= static_cast<std::ptrdiff_t>(bytes);
  }
};

CacheShard::~CacheShard() {
  index_.for_each([](CacheEntry* entry) { CacheEntry::drop(entry); });
  if (spare_ != nullptr) CacheEntry::drop(spare_);
}

void CacheShard::unlink(Lane& lane, CacheEntry* entry, EvictionCause cause, const Lane::Record& by,
                        Departures& gone) {
  index_.erase(entry);
  lane.remove(entry);
  if (spare_ == nullptr && gone.nobody_listens() && entry->is_spare()) {
    spare_ = entry;
    spare_size_ = entry->packed_size();
  } else {
    gone.add(entry, lane.shared_record(), cause, by);
  }
}

CacheEntry* CacheShard::make_entry(const EntrySpec& spec) {
  if (spare_ != nullptr) {
    if (CacheEntry* entry = CacheEntry::recreate(spec, spare_)) {
      spare_ = nullptr;
      return entry;
    }
  }
  return CacheEntry::create(spec, heap_);
}

void CacheShard::remove(Lane& lane, CacheEntry* entry, EvictionCause cause, Departures& gone) {
  const std::size_t charge = entry->charge();
  unlink(lane, entry, cause, lane.shared_record(), gone);
  lane.record().used.fetch_sub(charge, std::memory_order_relaxed);
  budget_->sub(charge);
}

void CacheShard::expect_eviction(std::size_t bytes) const noexcept {
  if (chosen_ == nullptr || budget_->fits(bytes)) return;
  const CacheEntry* next = chosen_->next_candidate();
  if (next == nullptr) return;
  __builtin_prefetch(next->next);
  index_.prefetch(next->hash);
  chosen_->prefetch(next->hash);
}

// What it will read lies apart: all of it is asked for before any of it is waited for.
Shortage CacheShard::insert(Lane& lane, CacheEntry* entry, CacheEntry* old, Departures& gone) {
  const std::size_t charge = entry->charge();
  lane.prefetch(entry->hash);
  if (chosen_ != nullptr && !budget_->fits(charge)) chosen_->prefetch_oldest();
  if (old != nullptr && old->charge() == charge) {
    lane.replace(old, entry);
    index_.replace(old, entry);
    gone.add(old, lane.shared_record(), EvictionCause::replaced, lane.shared_record());
    return Shortage::none;
  }
  const bool indexed = index_.insert(entry);
  Balance balance;
  if (old != nullptr) {
    balance.freed_own(old->charge());
    unlink(lane, old, EvictionCause::replaced, lane.shared_record(), gone);
  }
  balance.taken(indexed ? charge : 0);
  const Shortage shortage = make_room(lane, balance, gone);
  if (indexed && shortage == Shortage::none) {
    lane.insert(entry, charge);
    return shortage;
  }
  if (!indexed) return Shortage::index;
  index_.erase(entry);
  balance.freed_own(charge);
  apply(lane, balance);
  return shortage;
}

// What is freed in the end; never more than it was.
void CacheShard::apply(Lane& lane, const Balance& balance) noexcept {
  if (balance.own < 0) lane.record().used.fetch_sub(magnitude(balance.own));
  if (balance.total < 0) budget_->sub(magnitude(balance.total));
}

Shortage CacheShard::make_room(Lane& lane, Balance& balance, Departures& gone) {
  TenantRecord& record = lane.record();
  for (;;) {
    const std::size_t own = balance.own > 0 ? magnitude(balance.own) : 0;
    const std::size_t total = balance.total > 0 ? magnitude(balance.total) : 0;
    if (own > 0 && !record.fits(own)) {
      if (!evict_own_for(lane, EvictionCause::limit, balance, gone)) return Shortage::limit;
      continue;
    }
    if (total > 0 && !budget_->try_add(total)) {
      if (!evict_for(lane, balance, gone)) return Shortage::capacity;
      continue;
    }
    if (own == 0 || record.add_below_limit(own)) {
      apply(lane, balance);
      return Shortage::none;
    }
    if (total > 0) budget_->sub(total);
  }
}

CacheEntry* CacheShard::next_to_leave(Lane& lane) noexcept {
  CacheEntry* victim = lane.next_to_leave();
  if (victim == nullptr) return nullptr;
  index_.prefetch(victim->hash);
  lane.prefetch(victim->hash);
  return victim;
}

bool CacheShard::evict_own_for(Lane& lane, EvictionCause cause, Balance& balance,
                               Departures& gone) {
  CacheEntry* victim = next_to_leave(lane);
  if (victim == nullptr) return false;
  lane.remember(*victim);
  ++lane.counts.evicted_by_own;
  balance.freed_own(victim->charge());
  unlink(lane, victim, cause, lane.shared_record(), gone);
  return true;
}

// Makes a little room in this shard for an entry of `lane`.
bool CacheShard::evict_for(Lane& lane, Balance& balance, Departures& gone) {
  Lane* victim_lane = choose(Force::above_guarantee);
  const bool own = victim_lane == &lane || victim_lane == nullptr ||
                   decide::gives_itself(lane.view(shards_), chosen_pressure_);
  if (!own) {
    CacheEntry* victim = next_to_leave(*victim_lane);
    const std::size_t charge = victim->charge();
    if (victim_lane->record().take_above_guarantee(charge)) {
      victim_lane->remember(*victim);
      ++victim_lane->counts.evicted_by_others;
      ++lane.counts.evicted_others;
      victim_lane->record().pushed_out_by(lane.record().id);
      unlink(*victim_lane, victim, EvictionCause::capacity, lane.shared_record(), gone);
      balance.total -= static_cast<std::ptrdiff_t>(charge);
      return true;
    }
  }
  return evict_own_for(lane, EvictionCause::capacity, balance, gone);
}

std::size_t CacheShard::evict_own(Lane& lane, EvictionCause cause, Departures& gone) {
  CacheEntry* victim = next_to_leave(lane);
  if (victim == nullptr) return 0;
  const std::size_t charge = victim->charge();
  lane.remember(*victim);
  ++lane.counts.evicted_by_own;
  remove(lane, victim, cause, gone);
  return charge;
}

std::size_t CacheShard::evict_any(const Lane::Record& by, Force force, Departures& gone) {
  Lane* lane = choose(force);
  if (lane == nullptr) return 0;
  CacheEntry* victim = next_to_leave(*lane);
  const std::size_t charge = victim->charge();
  if (force == Force::any) {
    lane->record().used.fetch_sub(charge, std::memory_order_relaxed);
  } else if (!lane->record().take_above_guarantee(charge)) {
    return 0;
  }
  lane->remember(*victim);
  ++lane->counts.evicted_by_others;
  if (by != nullptr) lane->record().pushed_out_by(by->id);
  unlink(*lane, victim, EvictionCause::capacity, by != nullptr ? by : lane->shared_record(), gone);
  budget_->sub(charge);
  return charge;
}

bool CacheShard::still_chosen() const noexcept {
  return chosen_ != nullptr && chosen_left_ > 0 && chosen_->may_lose();
}

Lane* CacheShard::choose(Force force) {
  if (force == Force::above_guarantee && still_chosen()) {
    --chosen_left_;
    return chosen_;
  }
  views_.clear();
  for (const Lane* lane : lanes_.active()) {
    views_.push_back(lane->view(shards_));
    if (force == Force::any) views_.back().spare = views_.back().next;
  }
  const auto victim = decide::choose_victim(views_);
  if (!victim) return nullptr;
  chosen_ = lanes_.active()[*victim];
  chosen_pressure_ = decide::pressure(views_[*victim]);
  chosen_left_ = lanes_.active().size() / kLanesPerEviction +
                 std::min(chosen_->size() / kEntriesPerExtra, kMostExtra);
  return chosen_;
}

template <class Leave>
void CacheShard::remove_lanes(const Leave& leave) {
  chosen_ = nullptr;
  const std::size_t gone = lanes_.remove_if(leave);
  budget_->add_lanes(-static_cast<std::ptrdiff_t>(gone));
}

Lane* CacheShard::add_lane(std::shared_ptr<TenantRecord> record) {
  if (lanes_.active().size() >= most_lanes_) {
    remove_lanes([](Lane& lane) { return lane.retire_if_empty(); });
    most_lanes_ = std::max(kFewLanes, 2 * lanes_.active().size());
  }
  Lane* lane = lanes_.add(std::move(record), policy_);
  if (lane != nullptr) budget_->add_lanes(1);
  return lane;
}

void CacheShard::prune() {
  remove_lanes([](Lane& lane) { return lane.retire_if_idle(); });
}

}  // namespace aiserve::inline v0::detail
