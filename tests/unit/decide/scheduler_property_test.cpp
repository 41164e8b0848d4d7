// Random arrivals, cancellations, announcements and batches against the promises of the Scheduler.
#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "decide/scheduler.hpp"

using namespace aiserve::decide;

namespace {

constexpr Nanos kMicrosecond = 1'000;

enum class End { none, refused, evicted, removed, late, computed };

struct Request {
  QueueItem item;
  End end = End::none;
};

/// One world with its own seed: a few instances, tenants and lanes, and a clock.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), scheduler_(options()) {
    for (std::size_t i = 0; i < instances_; ++i) free_at_.push_back(0);
  }

  void run(int events) {
    for (int i = 0; i < events; ++i) {
      now_ += below(40) * kMicrosecond;
      finish_batches();
      event();
      start_batches();
    }
    announcements_ = std::min<std::size_t>(announcements_, 0);
    while (scheduler_.announced() != 0) scheduler_.retract();
    while (scheduler_.items() != 0) {
      now_ += 100 * kMicrosecond;
      finish_batches();
      start_batches();
    }
  }

  void check_conservation() const {
    for (const Request& request : requests_) {
      CHECK(request.end != End::none);
      CHECK_FALSE(request.item.queued());
    }
    CHECK(scheduler_.rows() == 0);
  }
  Nanos longest_wait() const { return longest_wait_; }

 private:
  std::int64_t below(std::int64_t bound) {
    return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(random_);
  }

  SchedulerOptions options() {
    SchedulerOptions options;
    max_batch_ = static_cast<std::size_t>(1 + below(16));
    instances_ = static_cast<std::size_t>(1 + below(3));
    lanes_ = 1 + below(3);
    options.max_batch = max_batch_;
    options.max_queue = static_cast<std::size_t>(16 + below(100));
    options.instances = static_cast<int>(instances_);
    options.learn_cap = below(2) == 0;
    options.queue.ageing = 2'000 * kMicrosecond;
    return options;
  }

  void event() {
    const std::int64_t dice = below(20);
    if (dice < 15) return arrive();
    if (dice < 18) return cancel();
    if (dice < 19 && announcements_ < 4) {
      scheduler_.announce();
      ++announcements_;
    } else if (announcements_ > 0) {
      scheduler_.retract();
      --announcements_;
    }
  }

  void arrive() {
    Request& request = requests_.emplace_back();
    by_item_[&request.item] = &request;
    request.item.arrived = now_;
    request.item.lane = static_cast<std::uint32_t>(below(lanes_));
    request.item.priority = static_cast<Priority>(below(3));
    if (below(3) == 0) request.item.deadline = now_ + (1 + below(3'000)) * kMicrosecond;
    const std::string tenant = "t" + std::to_string(below(4));
    const Admission admission = scheduler_.admit(
        request.item, {.tenant = tenant, .weight = static_cast<double>(1 + below(3))}, now_);
    if (admission.verdict != AdmissionVerdict::accepted) end(request.item, End::refused);
    for (QueueItem* evicted : admission.evicted) end(*evicted, End::evicted);
  }

  void cancel() {
    if (requests_.empty()) return;
    Request& request =
        requests_[static_cast<std::size_t>(below(static_cast<std::int64_t>(requests_.size())))];
    if (scheduler_.remove(request.item)) end(request.item, End::removed);
  }

  void end(const QueueItem& item, End how) {
    Request& request = *by_item_.at(&item);
    CHECK(request.end == End::none);
    request.end = how;
  }

  std::size_t busy() const {
    return static_cast<std::size_t>(std::count_if(free_at_.begin(), free_at_.end(),
                                                  [this](Nanos until) { return until > now_; }));
  }

  void finish_batches() {
    for (auto it = running_.begin(); it != running_.end();) {
      if (it->until > now_) {
        ++it;
        continue;
      }
      scheduler_.finished(it->lane, it->rows, it->took);
      it = running_.erase(it);
    }
  }

  void start_batches() {
    for (Nanos& free_at : free_at_) {
      if (free_at > now_) continue;
      picked_.clear();
      const BatchDecision decision = scheduler_.pick(now_, instances_ - busy(), busy(), picked_);
      for (const QueueItem* late : picked_.late) {
        CHECK(late->deadline != kNever);
        end(*late, End::late);
      }
      if (decision.action != BatchAction::run) {
        check_idle(decision);
        continue;
      }
      check_batch(decision);
      const Nanos took = (50 + 5 * static_cast<Nanos>(decision.rows)) * kMicrosecond;
      free_at = now_ + took;
      running_.push_back({decision.lane, decision.rows, now_ + took, took});
    }
  }

  // No request waits beside an idle instance, but for an announced arrival, and then not long.
  void check_idle(const BatchDecision& decision) const {
    if (decision.action == BatchAction::sleep) {
      CHECK(scheduler_.rows() == 0);
      return;
    }
    CHECK(scheduler_.announced() > 0);
    CHECK(decision.until > now_);
    CHECK(decision.until <= now_ + 200 * kMicrosecond);
  }

  void check_batch(const BatchDecision& decision) {
    std::size_t rows = 0;
    for (const QueueItem* member : picked_.members) {
      rows += member->rows;
      CHECK(member->lane == decision.lane);
      CHECK(member->deadline > now_);
      longest_wait_ = std::max(longest_wait_, now_ - member->arrived);
      end(*member, End::computed);
    }
    CHECK(rows == decision.rows);
    CHECK(rows >= 1);
    CHECK(rows <= max_batch_);
  }

  struct Running {
    std::uint32_t lane;
    std::size_t rows;
    Nanos until;
    Nanos took;
  };

  std::mt19937_64 random_;
  std::size_t max_batch_ = 1;
  std::size_t instances_ = 1;
  std::int64_t lanes_ = 1;
  Scheduler scheduler_;
  std::vector<Nanos> free_at_;
  std::vector<Running> running_;
  std::deque<Request> requests_;
  std::map<const QueueItem*, Request*> by_item_;
  std::size_t announcements_ = 0;
  Nanos now_ = 1;
  Nanos longest_wait_ = 0;
  Picked picked_;
};

}  // namespace

TEST_CASE("over thousands of random traces every request ends once and no instance idles") {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    CAPTURE(seed);
    World world(seed);
    world.run(150);
    world.check_conservation();
  }
}

TEST_CASE("nobody starves: a queue of bounded length bounds the wait, whatever is preferred") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    World world(seed);
    world.run(5'000);
    // 116 rows at most wait, a batch takes 130 us at most, ageing 2 x 2 ms, each a few times over.
    CHECK(world.longest_wait() < 60'000 * kMicrosecond);
  }
}
