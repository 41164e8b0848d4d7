// QueueItem: what waits in a FairQueue. Intrusive: the engine derives its request from it, owns it,
// and keeps its address while it is queued.
#pragma once

#include <cstddef>
#include <cstdint>

#include "decide/nanos.hpp"
#include "decide/sorted_queue.hpp"

namespace aiserve::inline v0::decide {

enum class Priority : std::uint8_t { interactive, normal, background };

inline constexpr std::size_t kPriorities = 3;

struct LaneFlow;

class QueueItem {
 public:
  QueueItem() = default;
  QueueItem(const QueueItem&) = delete;
  QueueItem& operator=(const QueueItem&) = delete;

  // Set before push(), constant while queued.
  /// What it adds to a batch; a group that stays together has several.
  std::uint32_t rows = 1;
  /// Items of one lane can share a batch: one shape bucket.
  std::uint32_t lane = 0;
  /// > 0 and finite: what its tenant is charged, in rows, tokens or bytes.
  double cost = 1;
  Nanos arrived = 0;
  Nanos deadline = kNever;
  Priority priority = Priority::normal;

  bool queued() const noexcept { return flow_ != nullptr; }
  /// The class it waits in, or waited in when it was taken: `priority`, or better by ageing.
  Priority effective_priority() const noexcept { return class_; }

 private:
  friend class FairQueue;
  friend struct ItemOrder;

  Priority class_ = Priority::normal;
  Nanos key_ = 0;      // earliest deadline first; the same in every class
  Nanos entered_ = 0;  // its class
  std::uint64_t sequence_ = 0;
  LaneFlow* flow_ = nullptr;
  SortedHook<QueueItem> in_flow_;
  SortedHook<QueueItem> in_lane_;
  SortedHook<QueueItem> in_deadlines_;
  SortedHook<QueueItem> in_ageing_;
};

/// The orders a queued item stands in.
struct ItemOrder {
  /// In its flow: by EDF key, equal ones as they came.
  struct Key {
    static bool before(const QueueItem& a, const QueueItem& b) noexcept {
      return a.key_ != b.key_ ? a.key_ < b.key_ : a.sequence_ < b.sequence_;
    }
    static SortedHook<QueueItem>& hook(QueueItem& item) noexcept { return item.in_flow_; }
  };

  struct Arrival {
    static bool before(const QueueItem& a, const QueueItem& b) noexcept {
      return a.arrived < b.arrived;
    }
    static SortedHook<QueueItem>& hook(QueueItem& item) noexcept { return item.in_lane_; }
  };

  struct Deadline {
    static bool before(const QueueItem& a, const QueueItem& b) noexcept {
      return a.deadline < b.deadline;
    }
    static SortedHook<QueueItem>& hook(QueueItem& item) noexcept { return item.in_deadlines_; }
  };

  /// In its class: by the time it entered it, equal ones as they came.
  struct Ageing {
    static bool before(const QueueItem& a, const QueueItem& b) noexcept {
      return a.entered_ != b.entered_ ? a.entered_ < b.entered_ : a.sequence_ < b.sequence_;
    }
    static SortedHook<QueueItem>& hook(QueueItem& item) noexcept { return item.in_ageing_; }
  };
};

}  // namespace aiserve::inline v0::decide
