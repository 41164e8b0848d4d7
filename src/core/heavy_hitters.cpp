#include "core/heavy_hitters.hpp"

#include <algorithm>
#include <bit>

namespace aiserve::inline v0::detail {
namespace {

// A challenger has to be clearly larger, or two equal values would swap their name forever.
constexpr std::uint64_t with_margin(std::uint64_t traffic) noexcept {
  return traffic + traffic / 8 + 4;
}

}  // namespace

HeavyHitters::HeavyHitters(std::size_t top, std::uint64_t half_life)
    : top_(top),
      half_life_(half_life),
      values_(1),
      traffic_(std::make_unique<std::atomic<std::uint64_t>[]>(top + 1)),
      rows_(std::bit_ceil(2 * top)) {
  index_.reserve(top);
  values_.reserve(top + 1);
}

HeavyHitters::Slot HeavyHitters::named(std::string_view value) const noexcept {
  const auto found = index_.find(value);
  return found == index_.end() ? kNone : found->second;
}

void HeavyHitters::count_named(Slot slot) noexcept {
  traffic_[slot].fetch_add(1, std::memory_order_relaxed);
  observed_.fetch_add(1, std::memory_order_relaxed);
}

HeavyHitters::Candidate& HeavyHitters::candidate(std::string_view value) {
  Row& row = row_of(value);
  const auto known = std::find_if(row.begin(), row.end(), [value](const Candidate& entry) {
    return entry.count > 0 && entry.value == value;
  });
  if (known != row.end()) return *known;
  Candidate& smallest =
      *std::min_element(row.begin(), row.end(),
                        [](const Candidate& a, const Candidate& b) { return a.count < b.count; });
  smallest.value = value;
  smallest.error = smallest.count;
  return smallest;
}

HeavyHitters::Slot HeavyHitters::name_free_slot(std::string_view value) {
  const auto slot = static_cast<Slot>(values_.size());
  index_.emplace(value, slot);
  values_.emplace_back(value);
  count_named(slot);
  return slot;
}

HeavyHitters::Slot HeavyHitters::smallest_named() noexcept {
  Slot smallest = 1;
  for (Slot slot = 2; slot <= top_; ++slot) {
    if (traffic_[slot].load(std::memory_order_relaxed) <
        traffic_[smallest].load(std::memory_order_relaxed)) {
      smallest = slot;
    }
  }
  floor_ = traffic_[smallest].load(std::memory_order_relaxed);
  return smallest;
}

// The loser keeps what is known about it, if its row has a smaller entry.
void HeavyHitters::put_back(Slot slot) {
  const std::uint64_t traffic = traffic_[slot].load(std::memory_order_relaxed);
  Row& row = row_of(values_[slot]);
  Candidate& smallest =
      *std::min_element(row.begin(), row.end(),
                        [](const Candidate& a, const Candidate& b) { return a.count < b.count; });
  if (smallest.count < traffic) smallest = Candidate{values_[slot], traffic, 0};
}

HeavyHitters::Change HeavyHitters::count_unnamed(std::string_view value) {
  if (values_.size() <= top_) return {name_free_slot(value), false};
  observed_.fetch_add(1, std::memory_order_relaxed);
  Candidate& challenger = candidate(value);
  ++challenger.count;
  const std::uint64_t certain = challenger.certain();
  if (certain <= with_margin(floor_)) return {};
  const Slot slot = smallest_named();
  if (certain <= with_margin(floor_)) return {};

  index_.emplace(value, slot);
  challenger = Candidate{};
  put_back(slot);
  index_.erase(values_[slot]);
  values_[slot] = value;
  traffic_[slot].store(certain, std::memory_order_relaxed);
  return {slot, true};
}

void HeavyHitters::age() noexcept {
  observed_.store(0, std::memory_order_relaxed);
  floor_ = 0;
  for (std::size_t slot = 1; slot <= top_; ++slot) {
    traffic_[slot].store(traffic_[slot].load(std::memory_order_relaxed) / 2,
                         std::memory_order_relaxed);
  }
  for (Row& row : rows_) {
    for (Candidate& entry : row) {
      entry.count /= 2;
      entry.error /= 2;
    }
  }
}

}  // namespace aiserve::inline v0::detail
