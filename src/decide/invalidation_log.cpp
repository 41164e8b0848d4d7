#include "decide/invalidation_log.hpp"

#include <algorithm>

namespace aiserve::inline v0::decide {

InvalidationLog::Stamp InvalidationLog::birth(Stamp wall_now) noexcept {
  latest_ = std::max(latest_, wall_now);
  return latest_;
}

InvalidationLog::Stamp InvalidationLog::advance(Stamp wall_now) noexcept {
  latest_ = std::max(latest_ + 1, wall_now);
  newest_ = latest_;
  return newest_;
}

void InvalidationLog::kill(Label label, Stamp wall_now) { note(label, advance(wall_now)); }

void InvalidationLog::kill_all(Stamp wall_now) {
  floor_ = advance(wall_now);
  killed_.clear();
}

bool InvalidationLog::alive(Stamp born, std::span<const Label> labels) const noexcept {
  if (born >= newest_) return true;
  if (born < floor_) return false;
  return std::none_of(labels.begin(), labels.end(), [&](Label label) {
    const auto found = killed_.find(label);
    return found != killed_.end() && found->second > born;
  });
}

void InvalidationLog::merge(Stamp floor, std::span<const Kill> kills) {
  floor_ = std::max(floor_, floor);
  newest_ = std::max(newest_, floor);
  for (const Kill& kill : kills) {
    newest_ = std::max(newest_, kill.second);
    if (kill.second > floor_) note(kill.first, kill.second);
  }
  latest_ = std::max(latest_, newest_);
}

void InvalidationLog::note(Label label, Stamp stamp) {
  if (killed_.size() >= max_labels_ && !killed_.contains(label)) make_room();
  Stamp& noted = killed_[label];
  noted = std::max(noted, stamp);
}

void InvalidationLog::make_room() {
  std::vector<Stamp> stamps;
  stamps.reserve(killed_.size());
  for (const auto& kill : killed_) stamps.push_back(kill.second);
  const auto middle = stamps.begin() + static_cast<std::ptrdiff_t>(stamps.size() / 2);
  std::nth_element(stamps.begin(), middle, stamps.end());
  floor_ = std::max(floor_, *middle);
  std::erase_if(killed_, [this](const auto& kill) { return kill.second <= floor_; });
}

}  // namespace aiserve::inline v0::decide
