// Scheduler: everything the Batcher decides: who gets in, who is pushed out, what runs next and
// with whom, who is too late. Pure: the engine around it owns the lock, the threads and the
// entries. decide_batch (or a policy in its place) chooses when and which lane; the members are
// chosen by the FairQueue, and those that cannot come in time are left out here.
#pragma once

#include <memory>
#include <vector>

#include "decide/batch_decision.hpp"
#include "decide/cost_model.hpp"
#include "decide/fair_queue.hpp"

namespace aiserve::inline v0::decide {

struct SchedulerOptions {
  std::size_t max_batch = 64;
  double max_cost = std::numeric_limits<double>::infinity();
  std::size_t max_queue = 1024;  // rows that wait
  int instances = 1;
  /// Hold for announced arrivals at most; the smaller of this and a tenth of T(1) counts.
  Nanos max_hold = 200'000;
  /// Stop at the knee of rows/s instead of max_batch.
  bool learn_cap = false;
  FairQueueOptions queue{};
  BatchPolicy policy = &decide_batch;
  /// False for an item whose caller has gone. Default: all have callers.
  bool (*alive)(const QueueItem&) noexcept = nullptr;
};

/// Who asks.
struct Claimant {
  std::string_view tenant;
  double weight = 1;
  /// Rows of this tenant that may wait; beyond it it is refused whatever room there is.
  std::size_t max_queue = std::numeric_limits<std::size_t>::max();
};

enum class AdmissionVerdict : std::uint8_t {
  accepted,
  full,         // of others that have no more than their share
  tenant_full,  // the tenant's own limit
  late,         // it could not be answered before its deadline, or within the latency goal
};

struct Admission {
  AdmissionVerdict verdict = AdmissionVerdict::accepted;
  /// Pushed out to make room, no longer queued.
  std::vector<QueueItem*> evicted{};
  Nanos wait = 0;  // predicted, of those that are refused or pushed out
};

/// What a pick took out of the queue.
struct Picked {
  std::vector<QueueItem*> members;  // run these
  std::vector<QueueItem*> late;     // these could not come in time
  std::vector<QueueItem*> gone;     // nobody waits for these

  void clear() noexcept {
    members.clear();
    late.clear();
    gone.clear();
  }
};

class Scheduler {
 public:
  explicit Scheduler(SchedulerOptions options);

  Admission admit(QueueItem& item, const Claimant& who, Nanos now);
  bool remove(QueueItem& item) noexcept { return queue_.remove(item); }

  /// For one of `takers` free instances; `busy` others run a batch.
  BatchDecision pick(Nanos now, std::size_t takers, std::size_t busy, Picked& out);
  /// A batch of `rows` has run; `took` of 0 teaches nothing.
  void finished(std::uint32_t lane, std::size_t rows, Nanos took);
  void observe(std::uint32_t lane, std::size_t rows, Nanos took) {
    model(lane).observe(rows, took);
  }
  /// Any item, in no order, for a queue that is being emptied; null when there is none.
  QueueItem* take_any() noexcept;

  void announce() noexcept { ++announced_; }
  void retract() noexcept { --announced_; }
  std::size_t announced() const noexcept { return announced_; }
  /// True if an instance that waits for announced arrivals need not wait any longer.
  bool worth_waking() const noexcept;

  /// A lane whose number now stands for another shape.
  void forget_lane(std::uint32_t lane) noexcept;
  void forget_costs() noexcept;

  std::size_t items() const noexcept { return queue_.items(); }
  std::size_t rows() const noexcept { return queue_.rows(); }
  /// What a newcomer at the end of the queue would wait.
  Nanos predicted_wait(std::size_t busy) const noexcept;
  const CostModel& costs(std::uint32_t lane) const noexcept;
  /// Of the lane that most rows ran in: what the shapes' mix is judged by.
  const CostModel& main_costs() const noexcept { return costs(main_lane_); }

  const SchedulerOptions& options() const noexcept { return options_; }
  void set_max_batch(std::size_t rows) noexcept { options_.max_batch = rows; }
  void set_max_queue(std::size_t rows) noexcept { options_.max_queue = rows; }
  void set_instances(int instances) noexcept { options_.instances = instances; }
  void set_learn_cap(bool on) noexcept { options_.learn_cap = on; }
  void set_max_hold(Nanos hold) noexcept { options_.max_hold = hold; }
  void set_ageing(Nanos ageing) noexcept { queue_.set_ageing(ageing); }
  void set_max_cost(double cost) noexcept { options_.max_cost = cost; }
  /// Rows that may wait before a newcomer; the tuner's. Beyond it the newcomer is `late`.
  void set_max_rows_ahead(std::size_t rows) noexcept { max_rows_ahead_ = rows; }

 private:
  enum class Fate : std::uint8_t { run, late, gone };

  CostModel& model(std::uint32_t lane);
  void count_rows(std::uint32_t lane, std::size_t rows);
  void look(Nanos now);
  void hold(const BatchDecision& decision) noexcept;
  std::size_t take_members(BatchDecision& decision, Nanos now, Picked& out);
  Fate fate(const QueueItem& item, BatchDecision& decision, std::size_t taken, Nanos now);
  bool shrink_for(const QueueItem& item, BatchDecision& decision, std::size_t taken, Nanos now);
  bool too_late(const QueueItem& item, std::size_t ahead, Nanos now) const noexcept;
  bool probe(bool nothing_runs) noexcept;
  std::size_t cap_of(const CostModel& costs) const noexcept;
  Nanos wait_behind(std::size_t rows, const CostModel& costs, std::size_t busy) const noexcept;
  bool make_room(const QueueItem& item, const Claimant& who, Admission& admission);

  SchedulerOptions options_;
  FairQueue queue_;
  std::vector<std::unique_ptr<CostModel>> costs_;
  std::vector<std::uint64_t> rows_run_;  // by lane
  std::uint32_t main_lane_ = 0;
  std::vector<LaneView> views_;    // of the decision being made
  std::vector<LaneState> states_;  // the same
  std::size_t announced_ = 0;
  std::size_t busy_ = 0;  // as of the last pick
  std::size_t max_rows_ahead_ = std::numeric_limits<std::size_t>::max();
  bool held_ = false;  // the last decision was to wait
  Nanos held_until_ = 0;
  std::size_t full_rows_ = 1;   // rows that make a full batch of the lane that is held
  unsigned late_in_a_row_ = 0;  // predicted late, since a batch ran
};

}  // namespace aiserve::inline v0::decide
