// FairModel: what FairQueue promises, said in the slowest and most obvious way: a plain list of
// items that is searched for every answer.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "decide/fair_queue.hpp"

namespace fair_test {

using namespace aiserve::decide;

class FairModel {
 public:
  struct Entry {
    QueueItem* item = nullptr;
    std::string tenant;
    Priority priority = Priority::normal;
    Nanos key = 0;
    Nanos entered = 0;
    int sequence = 0;
  };

  explicit FairModel(FairQueueOptions options) : options_(options) {}

  const std::vector<Entry>& entries() const { return entries_; }
  double weight(const std::string& tenant) const { return weights_.at(tenant); }

  void push(QueueItem& item, const std::string& tenant, double weight) {
    weights_[tenant] = weight;
    const Nanos due = item.arrived + options_.patience;
    enter({&item, tenant, item.priority, std::min(item.deadline, due), item.arrived, ++sequence_});
  }

  void remove(const QueueItem& item) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.item == &item; });
    leave(*found);
    if (next(item.lane) == nullptr) passed_.erase(item.lane);
  }

  void age(Nanos now) {
    if (options_.ageing == 0) return;
    while (promote_one(Priority::background, now)) {
    }
    while (promote_one(Priority::normal, now)) {
    }
  }

  QueueItem* next(std::uint32_t lane) const {
    const Entry* best = nullptr;
    for (const Entry& entry : entries_) {
      if (entry.item->lane != lane) continue;
      if (best == nullptr || rank(entry) < rank(*best)) best = &entry;
    }
    return best == nullptr ? nullptr : best->item;
  }

  void take(QueueItem& item) {
    const Entry& entry = *std::find_if(entries_.begin(), entries_.end(),
                                       [&](const Entry& each) { return each.item == &item; });
    double& tag = tags_[{entry.tenant, entry.priority}];
    now_[entry.priority] = std::max(now_[entry.priority], tag);
    tag += item.cost / weights_[entry.tenant];
    passed_[item.lane] = 0;
    remove(item);
  }

  void passed(std::uint32_t lane) {
    if (next(lane) != nullptr) ++passed_[lane];
  }

  double cost_of(const std::string& tenant) const {
    double cost = 0;
    for (const Entry& entry : entries_) cost += entry.tenant == tenant ? entry.item->cost : 0;
    return cost;
  }

  /// What views() should say of a lane that is not empty.
  LaneView view(std::uint32_t lane) const {
    LaneView view{.lane = lane, .oldest = kNever};
    const QueueItem* first = next(lane);
    for (const Entry& entry : entries_) {
      if (entry.item->lane != lane) continue;
      ++view.items;
      view.rows += entry.item->rows;
      view.cost += entry.item->cost;
      view.oldest = std::min(view.oldest, entry.item->arrived);
      view.earliest_deadline = std::min(view.earliest_deadline, entry.item->deadline);
      if (entry.item != first) continue;
      view.best = entry.priority;
      view.share = tags_.at({entry.tenant, entry.priority});
    }
    const auto passed = passed_.find(lane);
    view.passed_over = passed == passed_.end() ? 0 : passed->second;
    return view;
  }

 private:
  using Flow = std::tuple<std::string, Priority, std::uint32_t>;

  static Flow flow_of(const Entry& entry) {
    return {entry.tenant, entry.priority, entry.item->lane};
  }

  /// The less, the earlier its turn.
  std::tuple<Priority, double, int, Nanos, int> rank(const Entry& entry) const {
    return {entry.priority, tags_.at({entry.tenant, entry.priority}), opened_.at(flow_of(entry)),
            entry.key, entry.sequence};
  }

  bool any(Priority priority, const std::string* tenant = nullptr) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.priority == priority && (tenant == nullptr || entry.tenant == *tenant);
    });
  }

  void enter(const Entry& entry) {
    if (!any(entry.priority, &entry.tenant)) {
      double& tag = tags_[{entry.tenant, entry.priority}];
      tag = std::max(tag, now_[entry.priority]);
    }
    const auto in_flow = std::count_if(entries_.begin(), entries_.end(), [&](const Entry& other) {
      return flow_of(other) == flow_of(entry);
    });
    if (in_flow == 0) opened_[flow_of(entry)] = entry.sequence;
    entries_.push_back(entry);
  }

  void leave(const Entry& gone) {
    const Priority priority = gone.priority;
    entries_.erase(entries_.begin() + (&gone - entries_.data()));
    if (any(priority)) return;
    now_[priority] = 0;
    for (auto& [key, tag] : tags_) {
      if (key.second == priority) tag = 0;
    }
  }

  bool promote_one(Priority priority, Nanos now) {
    const Entry* oldest = nullptr;
    for (const Entry& entry : entries_) {
      if (entry.priority != priority) continue;
      const auto order = [](const Entry& each) { return std::tuple(each.entered, each.sequence); };
      if (oldest == nullptr || order(entry) < order(*oldest)) oldest = &entry;
    }
    if (oldest == nullptr || now - oldest->entered < options_.ageing) return false;
    Entry moved = *oldest;
    leave(*oldest);
    moved.priority = static_cast<Priority>(static_cast<int>(priority) - 1);
    moved.entered += options_.ageing;
    enter(moved);
    return true;
  }

  FairQueueOptions options_;
  int sequence_ = 0;
  std::vector<Entry> entries_;
  std::map<std::string, double> weights_;
  std::map<std::pair<std::string, Priority>, double> tags_;
  std::map<Priority, double> now_;
  std::map<Flow, int> opened_;  // by the item with that sequence number
  std::map<std::uint32_t, std::uint32_t> passed_;
};

}  // namespace fair_test
