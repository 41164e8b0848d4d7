#include "cache/lane_table.hpp"

#include <algorithm>
#include <bit>

namespace aiserve::inline v0::detail {

Lane* LaneTable::add(std::shared_ptr<TenantRecord> record, EvictionPolicy policy) {
  if (free_.empty()) {
    if (lanes_.size() >= kMostLanes) return nullptr;
    free_.push_back(static_cast<LaneId>(lanes_.size()));
    lanes_.emplace_back();
  }
  const LaneId id = free_.back();
  lanes_[id] = std::make_unique<Lane>(std::move(record), id, policy);
  free_.pop_back();
  active_.push_back(lanes_[id].get());
  if (active_.size() * 2 > places_.size()) {
    rebuild();
  } else {
    index(active_.back());
  }
  return active_.back();
}

void LaneTable::index(Lane* lane) noexcept {
  const std::size_t mask = places_.size() - 1;
  std::size_t i = lane->record().hash & mask;
  while (places_[i].lane != nullptr) i = (i + 1) & mask;
  places_[i] = {lane->record().hash, lane, lane->record().id.view()};
}

void LaneTable::rebuild() {
  places_.assign(std::bit_ceil(std::max<std::size_t>(4, 2 * active_.size())), Place{});
  for (Lane* lane : active_) index(lane);
}

}  // namespace aiserve::inline v0::detail
