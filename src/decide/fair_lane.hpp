// FairLane and LaneFlow: the parts of a FairQueue. A lane holds, per priority class, the tenants
// that have items in it, least virtual time first; each such flow holds its items by EDF key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "decide/fair_tenants.hpp"
#include "decide/indexed_heap.hpp"
#include "decide/keyed_pool.hpp"
#include "decide/queue_item.hpp"
#include "decide/sorted_queue.hpp"

namespace aiserve::inline v0::decide {

struct FairLane;

struct LaneFlowKey {
  FairTenant* tenant = nullptr;
  std::uint32_t lane = 0;
  Priority priority = Priority::normal;

  std::uint64_t hash() const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(tenant);
    return (address >> 4) * 31 + lane * kPriorities + static_cast<std::uint64_t>(priority);
  }
  friend bool operator==(const LaneFlowKey&, const LaneFlowKey&) = default;
};

/// The items of one tenant in one class and lane.
struct LaneFlow : KeyedNode<LaneFlowKey, LaneFlow> {
  FairLane* lane = nullptr;
  double tag = 0;                // as its heap knows it; the tenant's own may have grown since
  std::uint64_t sequence = 0;    // of flows with equal tags the first to come goes first
  std::uint32_t position = 0;    // in the lane's heap
  LaneFlow* previous = nullptr;  // of the same tenant and class
  LaneFlow* next = nullptr;
  SortedQueue<QueueItem, ItemOrder::Key> items;

  FairShare& share() const noexcept { return key.tenant->share(key.priority); }

  struct ByTag {
    static bool before(const LaneFlow& a, const LaneFlow& b) noexcept {
      return a.tag != b.tag ? a.tag < b.tag : a.sequence < b.sequence;
    }
    static std::uint32_t& position(LaneFlow& flow) noexcept { return flow.position; }
  };
};

struct LaneKey {
  std::uint32_t lane = 0;

  std::uint64_t hash() const noexcept { return lane; }
  friend bool operator==(const LaneKey&, const LaneKey&) = default;
};

struct FairLane : KeyedNode<LaneKey, FairLane> {
  using Flows = IndexedHeap<LaneFlow, LaneFlow::ByTag>;

  std::size_t rows = 0;
  double cost = 0;
  std::uint32_t passed_over = 0;
  SortedQueue<QueueItem, ItemOrder::Arrival> arrivals;    // all its items
  SortedQueue<QueueItem, ItemOrder::Deadline> deadlines;  // those that have one
  std::array<Flows, kPriorities> flows;

  Flows& flows_of(Priority priority) noexcept { return flows[static_cast<std::size_t>(priority)]; }

  /// Whose turn it is: of the best class the flow with the least virtual time. Not empty.
  LaneFlow& next_flow() noexcept {
    Flows* best = flows.data();
    while (best->empty()) ++best;
    // Tags only grow, and a tenant's tag grows for all its lanes at once: the heaps of the others
    // learn of it when such a flow comes to their top.
    while (best->top().tag != best->top().share().tag) {
      best->top().tag = best->top().share().tag;
      best->update(best->top());
    }
    return best->top();
  }
};

}  // namespace aiserve::inline v0::decide
