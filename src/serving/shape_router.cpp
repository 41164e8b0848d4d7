#include "serving/shape_router.hpp"

#include <utility>

namespace aiserve::inline v0::detail {

ShapeRouter::ShapeRouter(const ShapeRules& rules, std::size_t lanes)
    : rules_(rules), max_lanes_(lanes), buckets_(rules.options().edges) {}

Result<Placement> ShapeRouter::place(const Tensor& first, std::span<const Tensor> more) {
  if (rules_.fixed()) return Placement{};
  const Result<std::int64_t> length = rules_.length(first, more);
  if (!length) return length.error();
  Placement placed;
  if (rules_.mode() == ShapeMode::exact) {
    const Result<Placement> exact = exact_lane(first, more);
    if (!exact) return exact.error();
    placed = *exact;
  } else if (rules_.mode() == ShapeMode::padded) {
    placed.lane = buckets_.bucket_of(*length);
    if (!buckets_.learned() && placed.lane == buckets_.edges().size()) {
      return Error(Errc::invalid_argument,
                   "the input is " + std::to_string(*length) + " long, at most " +
                       std::to_string(buckets_.edges().back()) + " is taken");
    }
    placed.new_lanes = buckets_.observe(*length);
  }
  placed.length = static_cast<std::uint32_t>(*length);
  return placed;
}

void ShapeRouter::leave(std::uint32_t lane) noexcept {
  if (rules_.fixed() || rules_.mode() != ShapeMode::exact) return;
  if (--lanes_[lane + 1].waiting == 0) link_idle(lane);
}

Result<Placement> ShapeRouter::exact_lane(const Tensor& first, std::span<const Tensor> more) {
  read_key(first, more);
  Placement placed;
  auto found = lane_of_.find(key_);
  if (found == lane_of_.end()) {
    placed.new_lane = true;
    const Result<std::uint32_t> lane = new_lane();
    if (!lane) return lane.error();
    found = lane_of_.emplace(key_, *lane).first;
    lanes_[*lane + 1].key = &found->first;
  }
  enter(found->second);
  placed.lane = found->second;
  return placed;
}

// The sizes that the signature leaves open; the rest is the same for all.
void ShapeRouter::read_key(const Tensor& first, std::span<const Tensor> more) {
  key_.clear();
  const auto& specs = rules_.signature().inputs;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (i == rules_.mask() || specs[i].variable_dims() == 0) continue;
    const std::size_t index = rules_.request_index(i);
    const auto given = row_dims(specs[i], index == 0 ? first : more[index - 1]);
    for (std::size_t d = 0; d < given.size(); ++d) {
      if (specs[i].shape()[d + 1] == -1) key_.push_back(given[d]);
    }
  }
}

// An unused number, or the lane that nobody waits in for longest.
Result<std::uint32_t> ShapeRouter::new_lane() {
  if (lanes_.size() <= max_lanes_) {
    lanes_.emplace_back();
    const auto lane = static_cast<std::uint32_t>(lanes_.size() - 2);
    link_idle(lane);
    return lane;
  }
  const std::uint32_t oldest = lanes_.front().newer;
  if (oldest == 0) {
    return Error(Errc::overloaded, "requests of too many different shapes are waiting");
  }
  if (const Key* key = std::exchange(lanes_[oldest].key, nullptr); key != nullptr) {
    lane_of_.erase(lane_of_.find(*key));
  }
  return oldest - 1;
}

void ShapeRouter::enter(std::uint32_t lane) noexcept {
  if (lanes_[lane + 1].waiting++ == 0) unlink_idle(lane);
}

void ShapeRouter::link_idle(std::uint32_t lane) noexcept {
  const std::uint32_t newest = lanes_.front().older;
  lanes_[lane + 1].older = newest;
  lanes_[lane + 1].newer = 0;
  lanes_[newest].newer = lane + 1;
  lanes_.front().older = lane + 1;
}

void ShapeRouter::unlink_idle(std::uint32_t lane) noexcept {
  const Lane& own = lanes_[lane + 1];
  lanes_[own.older].newer = own.newer;
  lanes_[own.newer].older = own.older;
}

// FNV-1a over 64-bit words (Fowler, Noll, Vo), with the high bits folded down.
std::size_t ShapeRouter::KeyHash::operator()(const Key& key) const noexcept {
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325U;
  for (const std::int64_t size : key) {
    hash = (hash ^ static_cast<std::uint64_t>(size)) * 0x0000'0100'0000'01B3U;
  }
  return static_cast<std::size_t>(hash ^ (hash >> 32U));
}

}  // namespace aiserve::inline v0::detail
