// LaneTable: the lanes of a shard, by tenant and by number. Guarded by the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "cache/lane.hpp"

namespace aiserve::inline v0::detail {

class LaneTable {
 public:
  /// nullptr if the tenant has none. `hash` is the tenant's.
  Lane* find(std::uint64_t hash, const TenantId& tenant) const noexcept {
    if (places_.empty()) return nullptr;
    const std::size_t mask = places_.size() - 1;
    for (std::size_t i = hash & mask; places_[i].lane != nullptr; i = (i + 1) & mask) {
      const Place& place = places_[i];
      if (place.hash == hash && same_bytes(place.tenant, tenant.view())) return place.lane;
    }
    return nullptr;
  }
  Lane* at(LaneId id) const noexcept { return lanes_[id].get(); }

  /// nullptr if there are kMostLanes already.
  Lane* add(std::shared_ptr<TenantRecord> record, EvictionPolicy policy);
  /// Destroys those for which `leave` says so: their number.
  template <class Leave>
  std::size_t remove_if(const Leave& leave);

  /// All, in no order.
  const std::vector<Lane*>& active() const noexcept { return active_; }

 private:
  struct Place {
    std::uint64_t hash = 0;
    Lane* lane = nullptr;
    std::string_view tenant{};  // in the lane's record
  };

  void index(Lane* lane) noexcept;
  void rebuild();

  std::vector<Place> places_;  // open addressing, a power of two, at most half full
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<LaneId> free_;
  std::vector<Lane*> active_;
};

template <class Leave>
std::size_t LaneTable::remove_if(const Leave& leave) {
  const auto gone = std::erase_if(active_, [&](Lane* lane) {
    if (!leave(*lane)) return false;
    free_.push_back(lane->id());
    lanes_[lane->id()].reset();
    return true;
  });
  if (gone > 0) rebuild();
  return gone;
}

}  // namespace aiserve::inline v0::detail
