// Items for tests of the FairQueue: they remember who pushed them, and print as their number.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "decide/fair_queue.hpp"

namespace fair_test {

using namespace aiserve::decide;

struct Item : QueueItem {
  int number = 0;
  std::string tenant;
};

/// What a test says about an item; the rest has the defaults of QueueItem.
struct Spec {
  std::string tenant = "a";
  double weight = 1;
  Priority priority = Priority::normal;
  Nanos arrived = 0;
  Nanos deadline = kNever;
  std::uint32_t lane = 0;
  double cost = 1;
  std::uint32_t rows = 1;
};

inline constexpr auto kAllRows = std::numeric_limits<std::size_t>::max();
inline constexpr double kAllCost = std::numeric_limits<double>::infinity();

/// A queue and the items that were ever pushed into it, numbered from 0.
struct Fixture {
  std::deque<Item> items;
  FairQueue queue;

  explicit Fixture(FairQueueOptions options = {}) : queue(options) {}

  Item& push(const Spec& spec) {
    Item& item = items.emplace_back();
    item.number = static_cast<int>(items.size()) - 1;
    item.tenant = spec.tenant;
    item.priority = spec.priority;
    item.arrived = spec.arrived;
    item.deadline = spec.deadline;
    item.lane = spec.lane;
    item.cost = spec.cost;
    item.rows = spec.rows;
    queue.push(item, spec.tenant, spec.weight);
    return item;
  }

  void push(int count, const Spec& spec) {
    for (int i = 0; i < count; ++i) push(spec);
  }

  Item* take(std::uint32_t lane = 0) {
    return static_cast<Item*>(queue.take(lane, kAllRows, kAllCost, true));
  }

  /// The numbers of the next items.
  std::vector<int> take_numbers(std::size_t count, std::uint32_t lane = 0) {
    std::vector<int> numbers;
    while (numbers.size() < count) numbers.push_back(take(lane)->number);
    return numbers;
  }

  /// The tenants of the next items, one letter each.
  std::string take_tenants(std::size_t count, std::uint32_t lane = 0) {
    std::string tenants;
    while (tenants.size() < count) tenants += take(lane)->tenant;
    return tenants;
  }

  LaneView view(std::uint32_t lane = 0) const {
    std::vector<LaneView> views;
    queue.views(views);
    for (const LaneView& view : views) {
      if (view.lane == lane) return view;
    }
    return {};
  }
};

}  // namespace fair_test
