// FairQueue: what waits for a batch, and who goes next. Pure: no clock, no lock; the engine's mutex
// guards it.
//
// Of a lane the best priority class goes first, in it the tenant that was served least for its
// weight, of its items the earliest deadline. Tenants share by virtual time: start-time fair
// queueing (Goyal, Vin, Cheng 1996). A tenant has a tag per class; when an item is taken, virtual
// time moves to the tag, and the tag moves on by cost / weight. Who comes back from idleness starts
// at virtual time: waiting earns no credit. A class nobody waits in starts anew.
//
// Why virtual time and not deficit rounds (which are O(1) too): a batch is taken from one lane, so
// tenants without items there are skipped however long they wait. A round can't tell who was
// skipped from who was served; a tag can. It is one tag for all lanes: the skipped tenant keeps its
// low one, and catches up as soon as its lane is chosen.
//
// Costs: push, take and remove are O(1) for one tenant whose deadlines come in order (or who has
// none), else O(log n). Nothing is allocated any more once the parts, which are used again, have
// grown to what the traffic needs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "decide/fair_lane.hpp"
#include "decide/fair_tenants.hpp"
#include "decide/keyed_pool.hpp"
#include "decide/nanos.hpp"
#include "decide/queue_item.hpp"
#include "decide/sorted_queue.hpp"

namespace aiserve::inline v0::decide {

struct FairQueueOptions {
  /// An item that waited so long in its class moves one class up. 0: never. Shorter: background
  /// work is done sooner under a steady load of better classes, and disturbs it more.
  Nanos ageing = 1'000'000'000;
  /// An item counts as due at its deadline or so long after its arrival, whichever is first: one
  /// without a deadline is not starved by its tenant's others that have one. >= 0.
  Nanos patience = 10'000'000'000;
};

/// A lane that is not empty.
struct LaneView {
  std::uint32_t lane = 0;
  std::size_t items = 0;
  std::size_t rows = 0;
  double cost = 0;
  Nanos oldest = 0;                  ///< arrival
  Nanos earliest_deadline = kNever;  ///< kNever if none has one
  Priority best = Priority::normal;  ///< best class present, ageing included
  double share = 0;  ///< least virtual time in that class here: the lane with the least is due
  std::uint32_t passed_over = 0;  ///< calls of passed() since something was taken from it
};

class FairQueue {
 public:
  explicit FairQueue(FairQueueOptions options = {}) noexcept : options_(options) {}
  /// Lets go of what is still queued.
  ~FairQueue();
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;

  std::size_t items() const noexcept { return items_; }
  std::size_t rows() const noexcept { return rows_; }
  double cost() const noexcept { return cost_; }
  std::size_t items_of(std::string_view tenant) const noexcept;
  std::size_t rows_of(std::string_view tenant) const noexcept;
  /// Rows that are likely to be taken before a newcomer of the tenant: those of the classes that
  /// go before its own, and of its class no more than the shares of its own rows and of itself.
  std::size_t rows_ahead(std::string_view tenant, double weight, Priority priority) const noexcept;
  std::size_t lanes() const noexcept { return lanes_.size(); }
  /// Tenants remembered with nothing queued: at most FairTenants::kMaxIdle.
  std::size_t idle_tenants() const noexcept { return tenants_.idle(); }

  /// `weight` > 0 and finite; a changed one counts from now on. Precondition: not queued. Throws
  /// bad_alloc, the item is not queued then.
  void push(QueueItem& item, std::string_view tenant, double weight);
  /// False if it isn't queued (any more).
  bool remove(QueueItem& item) noexcept;
  /// Promotes what waited `ageing` in its class, unless that is 0.
  void age(Nanos now) noexcept;

  void set_ageing(Nanos ageing) noexcept { options_.ageing = ageing; }

  /// Replaces `out` by the lanes that are not empty, in no particular order.
  void views(std::vector<LaneView>& out) const;

  /// The lane's next item, charged to its tenant. Null if the lane is empty, or if that item has
  /// more rows or cost than is left: never a smaller one in its place, which would starve the large
  /// ones. `first` takes it anyway, because a batch takes at least one.
  QueueItem* take(std::uint32_t lane, std::size_t rows_left, double cost_left, bool first) noexcept;
  /// Another lane was preferred to this one.
  void passed(std::uint32_t lane) noexcept;

  /// Whom to push out of a full queue so that `newcomer` gets in: the last item, of its worst class
  /// the latest key, of the tenant with the most queued cost per weight. Null if no tenant has more
  /// than the newcomer would have with `cost` more: it is refused then. The caller removes the
  /// victim. O(1) to refuse, else O(lanes of the victim's tenant + its items out of order).
  QueueItem* victim(std::string_view newcomer, double weight, double cost = 0) noexcept;

 private:
  /// A priority class over all lanes.
  struct Class {
    double now = 0;            // virtual time: the largest tag served in this busy period
    std::uint64_t period = 1;  // counts busy periods
    std::size_t items = 0;
    std::size_t rows = 0;
    SortedQueue<QueueItem, ItemOrder::Ageing> ageing;
  };

  Class& class_of(Priority priority) noexcept {
    return classes_[static_cast<std::size_t>(priority)];
  }
  bool ages(Priority priority) const noexcept { return priority != Priority::interactive; }

  LaneFlow& prepare(FairTenant& tenant, const QueueItem& item, Priority priority);
  FairLane& open_lane(std::uint32_t lane);
  LaneFlow& open_flow(FairLane& lane, const LaneFlowKey& key);
  void reserve(LaneFlow& flow);
  void close_if_empty(LaneFlow& flow) noexcept;
  void close_if_empty(FairLane& lane) noexcept;

  void enter_lane(QueueItem& item, FairLane& lane);
  void leave_lane(QueueItem& item, FairLane& lane) noexcept;
  void enter_flow(QueueItem& item, LaneFlow& flow, Nanos since);
  void leave_flow(QueueItem& item) noexcept;
  void activate(LaneFlow& flow, std::uint64_t sequence);
  void charge(const LaneFlow& flow, double cost) noexcept;
  bool promote(QueueItem& item) noexcept;

  FairQueueOptions options_;
  std::size_t items_ = 0;
  std::size_t rows_ = 0;
  double cost_ = 0;
  std::uint64_t next_sequence_ = 0;
  FairTenants tenants_;
  KeyedPool<LaneKey, FairLane> lanes_;
  KeyedPool<LaneFlowKey, LaneFlow> flows_;
  std::array<Class, kPriorities> classes_;
};

}  // namespace aiserve::inline v0::decide
