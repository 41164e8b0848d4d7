#include "decide/fair_queue.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

namespace aiserve::inline v0::decide {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

QueueItem& last_item(FairTenant& tenant) noexcept {
  auto worst = tenant.shares.rbegin();
  while (worst->flows == nullptr) ++worst;
  QueueItem* last = nullptr;
  for (LaneFlow* flow = worst->flows; flow != nullptr; flow = flow->next) {
    QueueItem& candidate = flow->items.back();
    if (last == nullptr || ItemOrder::Key::before(*last, candidate)) last = &candidate;
  }
  return *last;
}

LaneView view_of(FairLane& lane) noexcept {
  const LaneFlow& next = lane.next_flow();
  return {.lane = lane.key.lane,
          .items = lane.arrivals.size(),
          .rows = lane.rows,
          .cost = lane.cost,
          .oldest = lane.arrivals.front().arrived,
          .earliest_deadline = lane.deadlines.empty() ? kNever : lane.deadlines.front().deadline,
          .best = next.key.priority,
          .share = next.tag,
          .passed_over = lane.passed_over};
}

}  // namespace

FairQueue::~FairQueue() {
  while (lanes_.size() != 0) remove(lanes_.nodes().front()->arrivals.front());
}

std::size_t FairQueue::items_of(std::string_view tenant) const noexcept {
  const FairTenant* found = tenants_.find(tenant);
  return found == nullptr ? 0 : found->items;
}

std::size_t FairQueue::rows_of(std::string_view tenant) const noexcept {
  const FairTenant* found = tenants_.find(tenant);
  if (found == nullptr) return 0;
  std::size_t rows = 0;
  for (const FairShare& share : found->shares) rows += share.rows;
  return rows;
}

std::size_t FairQueue::rows_ahead(std::string_view tenant, double weight,
                                  Priority priority) const noexcept {
  std::size_t before = 0;
  for (std::size_t better = 0; better < static_cast<std::size_t>(priority); ++better) {
    before += classes_[better].rows;
  }
  const std::size_t beside = classes_[static_cast<std::size_t>(priority)].rows;
  const FairTenant* own = tenants_.find(tenant);
  const std::size_t queued =
      own == nullptr ? 0 : own->shares[static_cast<std::size_t>(priority)].rows;
  const double active = tenants_.active_weight() + (queued == 0 ? weight : 0);
  const double share = static_cast<double>(queued + 1) * active / weight - 1;
  return before + (share < static_cast<double>(beside) ? static_cast<std::size_t>(share) : beside);
}

void FairQueue::push(QueueItem& item, std::string_view tenant, double weight) {
  FairTenant& owner = tenants_.open(tenant, weight);
  LaneFlow& flow = prepare(owner, item, item.priority);
  item.key_ = std::min(item.deadline, saturating_add(item.arrived, options_.patience));
  item.sequence_ = next_sequence_++;
  enter_lane(item, *flow.lane);
  enter_flow(item, flow, item.arrived);
  tenants_.add(owner, item.cost);
}

bool FairQueue::remove(QueueItem& item) noexcept {
  if (!item.queued()) return false;
  FairLane& lane = *item.flow_->lane;
  FairTenant& owner = *item.flow_->key.tenant;
  leave_flow(item);
  leave_lane(item, lane);
  tenants_.drop(owner, item.cost);
  return true;
}

void FairQueue::age(Nanos now) noexcept {
  if (options_.ageing <= 0) return;
  for (const Priority priority : {Priority::background, Priority::normal}) {
    auto& ageing = class_of(priority).ageing;
    while (!ageing.empty() && now - ageing.front().entered_ >= options_.ageing) {
      if (!promote(ageing.front())) return;
    }
  }
}

void FairQueue::views(std::vector<LaneView>& out) const {
  out.clear();
  for (FairLane* lane : lanes_.nodes()) out.push_back(view_of(*lane));
}

QueueItem* FairQueue::take(std::uint32_t lane, std::size_t rows_left, double cost_left,
                           bool first) noexcept {
  FairLane* from = lanes_.find({lane});
  if (from == nullptr) return nullptr;
  LaneFlow& flow = from->next_flow();
  QueueItem& item = flow.items.front();
  if (!first && (item.rows > rows_left || item.cost > cost_left)) return nullptr;
  charge(flow, item.cost);
  from->passed_over = 0;
  remove(item);
  return &item;
}

void FairQueue::passed(std::uint32_t lane) noexcept {
  if (FairLane* found = lanes_.find({lane})) ++found->passed_over;
}

QueueItem* FairQueue::victim(std::string_view newcomer, double weight, double cost) noexcept {
  FairTenant* own = tenants_.find(newcomer);
  if (own != nullptr) tenants_.set_weight(*own, weight);
  FairTenant* heaviest = tenants_.heaviest();
  if (heaviest == nullptr || heaviest == own) return nullptr;
  const double queued = own == nullptr ? 0 : own->queued_cost;
  return (queued + cost) * (1 / weight) < heaviest->load ? &last_item(*heaviest) : nullptr;
}

/// Opens the flow and makes room wherever the item will be linked, so that nothing after throws.
LaneFlow& FairQueue::prepare(FairTenant& tenant, const QueueItem& item, Priority priority) {
  const LaneFlowKey key{&tenant, item.lane, priority};
  LaneFlow* flow = flows_.find(key);
  if (flow == nullptr) flow = &open_flow(open_lane(item.lane), key);
  try {
    reserve(*flow);
  } catch (...) {
    close_if_empty(*flow);
    throw;
  }
  return *flow;
}

FairLane& FairQueue::open_lane(std::uint32_t lane) {
  FairLane* found = lanes_.find({lane});
  if (found != nullptr) return *found;
  FairLane& made = lanes_.open({lane});
  made.passed_over = 0;
  return made;
}

LaneFlow& FairQueue::open_flow(FairLane& lane, const LaneFlowKey& key) {
  try {
    LaneFlow& flow = flows_.open(key);
    flow.lane = &lane;
    return flow;
  } catch (...) {
    close_if_empty(lane);
    throw;
  }
}

void FairQueue::reserve(LaneFlow& flow) {
  flow.items.reserve_one();
  flow.lane->flows_of(flow.key.priority).reserve_one();
  flow.lane->arrivals.reserve_one();
  flow.lane->deadlines.reserve_one();
  class_of(flow.key.priority).ageing.reserve_one();
}

void FairQueue::close_if_empty(LaneFlow& flow) noexcept {
  if (!flow.items.empty()) return;
  FairLane& lane = *flow.lane;
  flows_.close(flow);
  close_if_empty(lane);
}

void FairQueue::close_if_empty(FairLane& lane) noexcept {
  if (lane.arrivals.empty()) lanes_.close(lane);
}

void FairQueue::enter_lane(QueueItem& item, FairLane& lane) {
  lane.arrivals.insert(item);
  if (item.deadline != kNever) lane.deadlines.insert(item);
  lane.rows += item.rows;
  lane.cost += item.cost;
  rows_ += item.rows;
  cost_ += item.cost;
  ++items_;
}

void FairQueue::leave_lane(QueueItem& item, FairLane& lane) noexcept {
  lane.arrivals.erase(item);
  if (item.deadline != kNever) lane.deadlines.erase(item);
  lane.rows -= item.rows;
  rows_ -= item.rows;
  // Exactly 0 when empty, so that rounding errors don't add up.
  lane.cost = lane.arrivals.empty() ? 0 : lane.cost - item.cost;
  cost_ = --items_ == 0 ? 0 : cost_ - item.cost;
  close_if_empty(lane);
}

/// `since`: when it entered the class.
void FairQueue::enter_flow(QueueItem& item, LaneFlow& flow, Nanos since) {
  item.flow_ = &flow;
  item.class_ = flow.key.priority;
  item.entered_ = since;
  if (flow.items.empty()) activate(flow, item.sequence_);
  flow.items.insert(item);
  ++flow.share().items;
  flow.share().rows += item.rows;
  Class& of = class_of(item.class_);
  ++of.items;
  of.rows += item.rows;
  if (ages(item.class_)) of.ageing.insert(item);
}

/// The flow's first item comes, perhaps the tenant's first in the class.
void FairQueue::activate(LaneFlow& flow, std::uint64_t sequence) {
  FairShare& share = flow.share();
  const Class& of = class_of(flow.key.priority);
  if (share.items == 0) {
    share.tag = share.period == of.period ? std::max(share.tag, of.now) : of.now;
    share.period = of.period;
  }
  flow.tag = share.tag;
  flow.sequence = sequence;
  flow.lane->flows_of(flow.key.priority).push(flow);
  flow.previous = nullptr;
  flow.next = share.flows;
  if (flow.next != nullptr) flow.next->previous = &flow;
  share.flows = &flow;
}

/// The lane stays open.
void FairQueue::leave_flow(QueueItem& item) noexcept {
  LaneFlow& flow = *item.flow_;
  FairShare& share = flow.share();
  Class& of = class_of(item.class_);
  item.flow_ = nullptr;
  flow.items.erase(item);
  --share.items;
  share.rows -= item.rows;
  if (ages(item.class_)) of.ageing.erase(item);
  if (flow.items.empty()) {
    flow.lane->flows_of(item.class_).erase(flow);
    (flow.previous == nullptr ? share.flows : flow.previous->next) = flow.next;
    if (flow.next != nullptr) flow.next->previous = flow.previous;
    flows_.close(flow);
  }
  of.rows -= item.rows;
  if (--of.items == 0) {
    ++of.period;
    of.now = 0;
  }
}

void FairQueue::charge(const LaneFlow& flow, double cost) noexcept {
  FairShare& share = flow.share();
  Class& of = class_of(flow.key.priority);
  of.now = std::max(of.now, share.tag);
  const double next = share.tag + cost * flow.key.tenant->per_weight;
  // A cost lost in rounding would let a tenant go on for ever.
  share.tag = next > share.tag ? next : std::nextafter(share.tag, kInfinity);
}

/// False if memory is short: it is promoted another time.
bool FairQueue::promote(QueueItem& item) noexcept {
  const auto better = static_cast<Priority>(static_cast<int>(item.class_) - 1);
  try {
    LaneFlow& flow = prepare(*item.flow_->key.tenant, item, better);
    leave_flow(item);
    enter_flow(item, flow, item.entered_ + options_.ageing);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace aiserve::inline v0::decide
