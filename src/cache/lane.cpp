#include "cache/lane.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace aiserve::inline v0::detail {
namespace {

constexpr std::size_t kLeastGhosts = 64;

}  // namespace

void Lane::insert(CacheEntry* entry, std::size_t charge) {
  const bool ghost = ghosts_.take(entry->hash);
  ghost_rate_.inserted(ghost);
  if (ghost) ++counts.ghost_hits;
  ++counts.inserts;

  const auto cost = static_cast<double>(entry->cost_ns());
  entry->mark({0, lru_ ? std::uint8_t{0} : decide::laps(cost, charge, cost_.per_byte())});
  cost_.add(cost, charge);

  entry->set_lane(id_);
  entry->set_in_main(ghost || lru_);
  queue_of(*entry).push(entry, charge);
}

void Lane::replace(CacheEntry* old, CacheEntry* entry) noexcept {
  ++counts.inserts;
  entry->mark(old->marks());
  entry->set_lane(id_);
  entry->set_in_main(old->in_main());
  queue_of(*entry).replace(old, entry, old->charge(), entry->charge());
}

// Who is oldest now is likely to be the next to leave: loaded by then.
void Lane::remove(CacheEntry* entry) noexcept {
  EntryQueue& queue = queue_of(*entry);
  queue.remove(entry, entry->charge());
  if (queue.oldest() != nullptr) __builtin_prefetch(queue.oldest());
}

void Lane::to_newest(CacheEntry* entry) noexcept {
  const std::size_t charge = entry->charge();
  EntryQueue& queue = queue_of(*entry);
  queue.remove(entry, charge);
  queue.push(entry, charge);
}

void Lane::move_to_main(CacheEntry* entry) noexcept {
  const std::size_t charge = entry->charge();
  queue_of(*entry).remove(entry, charge);
  entry->set_in_main(true);
  main_.push(entry, charge);
}

CacheEntry* Lane::next_candidate() const noexcept {
  const bool from_main = lru_ || queue_to_evict() == decide::FifoQueue::main;
  return from_main ? main_.oldest() : small_.oldest();
}

// Ends: every step uses up a hit, a lap or a place in the small queue.
CacheEntry* Lane::next_to_leave() noexcept {
  if (lru_) return main_.oldest();
  while (!empty()) {
    const decide::FifoQueue queue = queue_to_evict();
    CacheEntry* entry = queue == decide::FifoQueue::small ? small_.oldest() : main_.oldest();
    const decide::Verdict verdict = decide::judge(queue, entry->marks());
    if (verdict.fate == decide::Fate::evict) return entry;
    entry->mark(verdict.marks);
    if (queue == decide::FifoQueue::main) {
      main_.rotate();
    } else {
      move_to_main(entry);
    }
  }
  return nullptr;
}

void Lane::remember(const CacheEntry& entry) {
  if (lru_ || entry.in_main()) return;
  const std::size_t wanted = std::bit_ceil(std::max(size(), kLeastGhosts));
  if (ghosts_.window() < wanted || ghosts_.window() > 4 * wanted) ghosts_.resize(wanted);
  ghosts_.insert(entry.hash);
}

bool Lane::retire_if_idle() {
  const std::uint64_t used = counts.hits + counts.misses + counts.inserts + counts.refused;
  return std::exchange(used_before_, used) == used && retire_if_empty();
}

bool Lane::retire_if_empty() {
  if (empty()) record_->retire(counts);
  return empty();
}

std::size_t Lane::spare() const noexcept {
  const std::size_t used = record_->used.load(std::memory_order_relaxed);
  const std::size_t guarantee = record_->guarantee.load(std::memory_order_relaxed);
  return used > guarantee ? used - guarantee : 0;
}

decide::ShareView Lane::view(std::size_t shards) const noexcept {
  return {.used = bytes() * shards,
          .guarantee = record_->guarantee.load(std::memory_order_relaxed),
          .weight = record_->weight.load(std::memory_order_relaxed),
          .ghost_hit_rate = ghost_rate_.rate(),
          .spare = spare(),
          .next = average_charge()};
}

}  // namespace aiserve::inline v0::detail
