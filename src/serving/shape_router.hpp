// ShapeRouter: which lane a request waits in. Requests of one lane may share a batch.
//
// Fixed signatures and ragged batches have one lane; padded has one per length bucket; exact has
// one per set of shapes, kLanes at most: a lane that nobody waits in is given to new shapes, the
// one unused for longest first. Not locked: the engine's mutex guards it.
#pragma once

#include <unordered_map>

#include "decide/length_buckets.hpp"
#include "serving/shape_rules.hpp"

namespace aiserve::inline v0::detail {

struct Placement {
  std::uint32_t lane = 0;
  std::uint32_t length = 0;  // 0 if the signature is fixed
  // What was learned about the lane, or about all of them, was about other shapes.
  bool new_lane = false;
  bool new_lanes = false;
};

class ShapeRouter {
 public:
  static constexpr std::size_t kLanes = 4096;

  // `rules` outlives this. `lanes` is for tests.
  explicit ShapeRouter(const ShapeRules& rules, std::size_t lanes = kLanes);

  // For tensors that fit the signature, in the order of ShapeRules. A request that was placed
  // leaves its lane exactly once. Errors: invalid_argument (lengths differ, too long), overloaded
  // (all lanes are in use by other shapes).
  Result<Placement> place(const Tensor& first, std::span<const Tensor> more);
  // A placed request no longer waits: taken, cancelled or refused by the queue after all.
  void leave(std::uint32_t lane) noexcept;

  // What a batch of this lane is filled up to at least, for BatchBuilder::gather.
  std::int64_t pad_to(std::uint32_t lane) const noexcept {
    return rules_.options().pad_to_edge ? buckets_.edge(lane) : 0;
  }
  const decide::LengthBuckets& buckets() const noexcept { return buckets_; }

 private:
  using Key = std::vector<std::int64_t>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Lane {
    std::size_t waiting = 0;
    const Key* key = nullptr;  // in lane_of_; null until it has one
    // Neighbours among the lanes that nobody waits in.
    std::uint32_t older = 0;
    std::uint32_t newer = 0;
  };

  Result<Placement> exact_lane(const Tensor& first, std::span<const Tensor> more);
  void read_key(const Tensor& first, std::span<const Tensor> more);
  Result<std::uint32_t> new_lane();
  void enter(std::uint32_t lane) noexcept;
  void link_idle(std::uint32_t lane) noexcept;
  void unlink_idle(std::uint32_t lane) noexcept;

  const ShapeRules& rules_;
  std::size_t max_lanes_;
  decide::LengthBuckets buckets_;
  std::unordered_map<Key, std::uint32_t, KeyHash> lane_of_;
  // [0] is the head of the ring of idle lanes; lane n is lanes_[n + 1].
  std::vector<Lane> lanes_ = std::vector<Lane>(1);
  Key key_;  // of the request in hand; kept for its memory
};

}  // namespace aiserve::inline v0::detail
