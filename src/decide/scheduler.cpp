#include "decide/scheduler.hpp"

#include <algorithm>
#include <cmath>

namespace aiserve::inline v0::decide {
namespace {

// Predictions come from batches that ran. After so many that were given up in a row one is run all
// the same, so that a single slow batch cannot shut the door for good. Only when nothing else runs:
// else there are batches to learn from.
constexpr unsigned kMostLateInARow = 32;

// Of the time to its deadline that a newcomer may be predicted to need.
constexpr double kAdmissionShare = 0.75;

const CostModel kUnknown;

}  // namespace

Scheduler::Scheduler(SchedulerOptions options)
    : options_(std::move(options)), queue_(options_.queue) {}

Admission Scheduler::admit(QueueItem& item, const Claimant& who, Nanos now) {
  Admission admission;
  const CostModel& costs = model(item.lane);
  const auto refuse = [&](AdmissionVerdict verdict) {
    admission.verdict = verdict;
    admission.wait = std::max<Nanos>(wait_behind(queue_.rows(), costs, busy_), 1);
    return std::move(admission);
  };
  if (who.max_queue < options_.max_queue &&
      queue_.rows_of(who.tenant) + item.rows > who.max_queue) {
    return refuse(AdmissionVerdict::tenant_full);
  }
  if (item.deadline != kNever || queue_.rows() > max_rows_ahead_) {
    const std::size_t ahead = queue_.rows_ahead(who.tenant, who.weight, item.priority);
    if (ahead > max_rows_ahead_) return refuse(AdmissionVerdict::late);
    if (too_late(item, ahead, now) && !probe(busy_ == 0)) {
      return refuse(AdmissionVerdict::late);
    }
  }
  if (queue_.rows() + item.rows > options_.max_queue && !make_room(item, who, admission)) {
    return refuse(AdmissionVerdict::full);
  }
  queue_.push(item, who.tenant, who.weight);
  // What is held must not be held past the latest start of a newcomer.
  if (item.deadline != kNever && item.deadline - costs.mean(item.rows) < held_until_) {
    held_ = false;
  }
  return admission;
}

// A queue needs no more than a few batches to keep the instances busy, so what is admitted can be
// what will be answered: nobody waits for a refusal. The margin is for batches slower than usual.
bool Scheduler::too_late(const QueueItem& item, std::size_t ahead, Nanos now) const noexcept {
  if (item.deadline == kNever) return false;
  const CostModel& costs = this->costs(item.lane);
  const std::size_t own = std::min(cap_of(costs), ahead + item.rows);
  const Nanos finish = wait_behind(ahead, costs, busy_) + costs.p95(own);
  return ahead == 0 ? item.deadline - now < costs.mean(own)
                    : static_cast<double>(item.deadline - now) * kAdmissionShare <
                          static_cast<double>(finish);
}

// Longest queue drop: the tenant that holds most for its weight gives way to one that holds less.
// A group does not push out others: it might take several, and be refused after all.
bool Scheduler::make_room(const QueueItem& item, const Claimant& who, Admission& admission) {
  if (item.rows != 1 || queue_.rows() > options_.max_queue) return false;
  QueueItem* victim = queue_.victim(who.tenant, who.weight, item.cost);
  if (victim == nullptr) return false;
  admission.evicted.push_back(victim);
  admission.wait = std::max<Nanos>(wait_behind(queue_.rows(), costs(victim->lane), busy_), 1);
  queue_.remove(*victim);
  return true;
}

CostModel& Scheduler::model(std::uint32_t lane) {
  if (lane >= costs_.size()) costs_.resize(lane + 1);
  if (!costs_[lane]) costs_[lane] = std::make_unique<CostModel>();
  return *costs_[lane];
}

const CostModel& Scheduler::costs(std::uint32_t lane) const noexcept {
  return lane < costs_.size() && costs_[lane] ? *costs_[lane] : kUnknown;
}

void Scheduler::look(Nanos now) {
  queue_.age(now);
  queue_.views(views_);
  states_.clear();
  for (const LaneView& view : views_) {
    CostModel& costs = model(view.lane);
    const std::size_t cap =
        options_.learn_cap ? costs.cap(options_.max_batch, view.rows) : options_.max_batch;
    states_.push_back({.waiting = view,
                       .cap = cap,
                       .compute = costs.mean(std::min(view.rows, cap)),
                       .hold = std::min(options_.max_hold, costs.mean(1) / 10)});
  }
}

BatchDecision Scheduler::pick(Nanos now, std::size_t takers, std::size_t busy, Picked& out) {
  busy_ = busy;
  while (true) {
    look(now);
    const QueueView view{.now = now, .lanes = states_, .takers = takers, .announced = announced_};
    BatchDecision decision = options_.policy(view, {.max_cost = options_.max_cost});
    if (decision.action != BatchAction::run) {
      hold(decision);
      return decision;
    }
    if (held_ && decision.reason != BatchReason::full) decision.reason = BatchReason::wait;
    held_ = false;
    for (const LaneView& other : views_) {
      if (other.lane != decision.lane) queue_.passed(other.lane);
    }
    decision.rows = take_members(decision, now, out);
    if (decision.rows == 0) continue;
    late_in_a_row_ = 0;
    ++busy_;
    return decision;
  }
}

void Scheduler::hold(const BatchDecision& decision) noexcept {
  held_ = decision.action == BatchAction::wait;
  held_until_ = held_ ? decision.until : 0;
  for (const LaneState& lane : states_) {
    if (held_ && lane.waiting.lane == decision.lane) full_rows_ = lane.cap;
  }
}

std::size_t Scheduler::take_members(BatchDecision& decision, Nanos now, Picked& out) {
  std::size_t taken = 0;
  double cost_left = options_.max_cost;
  while (taken < decision.rows) {
    QueueItem* item = queue_.take(decision.lane, decision.rows - taken, cost_left, taken == 0);
    if (item == nullptr) break;
    switch (fate(*item, decision, taken, now)) {
      case Fate::gone:
        out.gone.push_back(item);
        break;
      case Fate::late:
        out.late.push_back(item);
        break;
      case Fate::run:
        out.members.push_back(item);
        taken += item->rows;
        cost_left -= item->cost;
    }
  }
  return taken;
}

Scheduler::Fate Scheduler::fate(const QueueItem& item, BatchDecision& decision, std::size_t taken,
                                Nanos now) {
  if (options_.alive != nullptr && !options_.alive(item)) return Fate::gone;
  if (item.deadline == kNever) return Fate::run;
  if (item.deadline <= now) return Fate::late;
  const std::size_t rows = std::max(decision.rows, taken + item.rows);
  if (now + costs(decision.lane).mean(rows) <= item.deadline) return Fate::run;
  if (shrink_for(item, decision, taken, now)) return Fate::run;
  return probe(taken == 0) ? Fate::run : Fate::late;
}

// Whether what is predicted to be late is run to see. `nothing_runs`: beside what is queued.
bool Scheduler::probe(bool nothing_runs) noexcept {
  if (late_in_a_row_ < kMostLateInARow) {
    ++late_in_a_row_;
    return false;
  }
  return nothing_runs && queue_.rows() == 0;
}

// A smaller batch may still come in time. Not when more wait than fit: then one item is given up
// rather than everybody's throughput (Nexus, SOSP 2019).
bool Scheduler::shrink_for(const QueueItem& item, BatchDecision& decision, std::size_t taken,
                           Nanos now) {
  if (queue_.rows() + taken + item.rows > decision.rows) return false;
  const CostModel& costs = this->costs(decision.lane);
  std::size_t rows = decision.rows;
  while (rows > taken + item.rows && now + costs.mean(rows) > item.deadline) rows = rows / 2;
  rows = std::max<std::size_t>(rows, taken + item.rows);
  if (now + costs.mean(rows) > item.deadline) return false;
  decision.rows = rows;
  decision.reason = BatchReason::deadline;
  return true;
}

void Scheduler::finished(std::uint32_t lane, std::size_t rows, Nanos took) {
  if (took > 0) model(lane).observe(rows, took);
  count_rows(lane, rows);
  if (busy_ > 0) --busy_;
}

void Scheduler::count_rows(std::uint32_t lane, std::size_t rows) {
  if (lane >= rows_run_.size()) rows_run_.resize(lane + 1);
  rows_run_[lane] += rows;
  if (rows_run_[lane] > rows_run_[main_lane_]) main_lane_ = lane;
}

QueueItem* Scheduler::take_any() noexcept {
  queue_.views(views_);
  if (views_.empty()) return nullptr;
  return queue_.take(views_.front().lane, 1, 0, true);
}

bool Scheduler::worth_waking() const noexcept {
  return !held_ || announced_ == 0 || queue_.rows() >= full_rows_ ||
         queue_.cost() >= options_.max_cost;
}

void Scheduler::forget_lane(std::uint32_t lane) noexcept {
  if (lane < rows_run_.size()) rows_run_[lane] = 0;
  if (lane < costs_.size() && costs_[lane]) costs_[lane]->forget();
}

void Scheduler::forget_costs() noexcept {
  for (const auto& costs : costs_) {
    if (costs) costs->forget();
  }
}

std::size_t Scheduler::cap_of(const CostModel& costs) const noexcept {
  return options_.learn_cap ? costs.knee(options_.max_batch) : options_.max_batch;
}

// Half of a batch for the one that runs, then all batches before this one, shared by the instances.
Nanos Scheduler::wait_behind(std::size_t rows, const CostModel& costs,
                             std::size_t busy) const noexcept {
  const auto instances = static_cast<std::size_t>(options_.instances);
  if (rows == 0 && busy < instances) return 0;
  const std::size_t cap = cap_of(costs);
  const auto batch = static_cast<double>(costs.mean(cap));
  const double before = static_cast<double>(rows) / static_cast<double>(cap * instances);
  return static_cast<Nanos>(std::llround((0.5 + before) * batch));
}

Nanos Scheduler::predicted_wait(std::size_t busy) const noexcept {
  return wait_behind(queue_.rows(), main_costs(), busy);
}

}  // namespace aiserve::inline v0::decide
