#include "decide/goal_tuner.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kWindow = 250 * kMillisecond;

struct Host {
  double base_ns = 2e6;
  double per_row_ns = 1e5;
  double noise = 0.08;    ///< of a batch's time
  double contention = 0;  ///< each further busy instance lengthens a batch by this part
  int instances = 1;
  double per_second = 1000;  ///< Poisson arrivals

  double time(std::size_t rows, int busy) const {
    return (base_ns + per_row_ns * static_cast<double>(rows)) * (1 + contention * (busy - 1));
  }
  /// Rows per second of all instances in batches of 64.
  double saturation() const { return instances * 64e9 / time(64, instances); }
};

Nanos percentile(std::vector<Nanos>& times, double part) {
  if (times.empty()) return 0;
  const auto rank = static_cast<std::size_t>(part * static_cast<double>(times.size() - 1));
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

/// A work-conserving batcher under Poisson arrivals: instances pull what waits, newcomers are
/// refused when too many rows are ahead.
class Simulation {
 public:
  Simulation(const Host& host, unsigned seed) : host_(host), random_(seed) {
    instances_.resize(static_cast<std::size_t>(host.instances));
    for (std::size_t rows = 1; rows <= 64; rows *= 2) {
      for (int i = 0; i < 3; ++i) cost_.observe(rows, service(rows, 1));
    }
    next_arrival_ = gap();
  }

  CostModel& cost() { return cost_; }
  Host& host() { return host_; }

  TunerWindow run(const Knobs& knobs, Nanos length) {
    const Nanos end = now_ + length;
    latencies_.clear();
    refused_ = batches_ = 0;
    busy_ns_ = 0;
    for (;;) {
      Instance* const first = first_to_finish();
      const Nanos finish = first == nullptr ? kNever : first->until;
      if (std::min(finish, next_arrival_) >= end) break;
      advance(std::min(finish, next_arrival_));
      if (finish <= next_arrival_) {
        complete(*first);
      } else {
        arrive(knobs);
      }
      start(knobs);
    }
    advance(end);
    return report(knobs, length);
  }

  const std::vector<Nanos>& latencies() const { return latencies_; }

 private:
  struct Instance {
    Nanos started = 0;
    Nanos until = kNever;
    std::vector<Nanos> arrivals;
  };

  Nanos gap() {
    std::exponential_distribution<double> gap(host_.per_second / 1e9);
    return now_ + std::max<Nanos>(1, std::llround(gap(random_)));
  }

  Nanos service(std::size_t rows, int busy) {
    std::normal_distribution<double> normal(0, host_.noise);
    return std::llround(host_.time(rows, busy) * std::max(0.5, 1 + normal(random_)));
  }

  Instance* first_to_finish() {
    const auto first =
        std::min_element(instances_.begin(), instances_.end(),
                         [](const Instance& a, const Instance& b) { return a.until < b.until; });
    return first->until == kNever ? nullptr : &*first;
  }

  int busy() const {
    return static_cast<int>(std::count_if(instances_.begin(), instances_.end(),
                                          [](const Instance& i) { return i.until != kNever; }));
  }

  void advance(Nanos to) {
    busy_ns_ += static_cast<double>(busy()) * static_cast<double>(to - now_);
    now_ = to;
  }

  void arrive(const Knobs& knobs) {
    if (queue_.size() > knobs.max_rows_ahead) {
      ++refused_;
    } else {
      queue_.push_back(now_);
    }
    next_arrival_ = gap();
  }

  void complete(Instance& instance) {
    cost_.observe(instance.arrivals.size(), now_ - instance.started);
    for (const Nanos arrival : instance.arrivals) latencies_.push_back(now_ - arrival);
    ++batches_;
    instance.arrivals.clear();
    instance.until = kNever;
  }

  void start(const Knobs& knobs) {
    while (!queue_.empty() && busy() < knobs.instances) {
      Instance& free = *std::find_if(instances_.begin(), instances_.end(),
                                     [](const Instance& i) { return i.until == kNever; });
      const auto takers = static_cast<std::size_t>(knobs.instances - busy());
      const std::size_t cap = cost_.cap(knobs.max_batch, queue_.size());
      const std::size_t rows = std::min((queue_.size() + takers - 1) / takers, cap);
      free.arrivals.assign(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(rows));
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(rows));
      free.started = now_;
      free.until = now_ + service(rows, busy() + 1);
    }
  }

  TunerWindow report(const Knobs& knobs, Nanos length) {
    TunerWindow window;
    window.length = length;
    window.completed = latencies_.size();
    window.p99 = percentile(latencies_, 0.99);
    window.p50 = percentile(latencies_, 0.5);
    window.refused = refused_;
    window.mean_batch =
        batches_ == 0 ? 0 : static_cast<double>(latencies_.size()) / static_cast<double>(batches_);
    window.busy_share = std::min(1.0, busy_ns_ / static_cast<double>(length) / knobs.instances);
    return window;
  }

  Host host_;
  std::mt19937 random_;
  CostModel cost_;
  std::vector<Instance> instances_;
  std::deque<Nanos> queue_;
  std::vector<Nanos> latencies_;
  Nanos now_ = 0;
  Nanos next_arrival_ = 0;
  std::size_t refused_ = 0;
  std::size_t batches_ = 0;
  double busy_ns_ = 0;
};

/// What many windows add up to.
struct Outcome {
  double per_second = 0;
  Nanos p99 = 0;
  int changes = 0;
};

class Tally {
 public:
  void add(const Simulation& simulation) {
    ++windows_;
    const auto& some = simulation.latencies();
    all_.insert(all_.end(), some.begin(), some.end());
  }
  Outcome outcome(int changes) {
    const double seconds = windows_ * static_cast<double>(kWindow) / 1e9;
    return {static_cast<double>(all_.size()) / seconds, percentile(all_, 0.99), changes};
  }

 private:
  std::vector<Nanos> all_;
  int windows_ = 0;
};

Outcome run_fixed(const Host& host, const Knobs& knobs, int windows) {
  Simulation simulation(host, 99);
  Tally tally;
  simulation.run(knobs, 2 * kWindow);
  for (int i = 0; i < windows; ++i) {
    simulation.run(knobs, kWindow);
    tally.add(simulation);
  }
  return tally.outcome(0);
}

Outcome run_tuned(Simulation& simulation, GoalTuner& tuner, int windows) {
  Tally tally;
  int changes = 0;
  for (int i = 0; i < windows; ++i) {
    const TunerWindow window = simulation.run(tuner.knobs(), kWindow);
    tally.add(simulation);
    if (tuner.step(window, simulation.cost())) ++changes;
  }
  return tally.outcome(changes);
}

/// The most rows per second of any setting that meets the goal.
double best_by_hand(const Host& host, Nanos goal) {
  double best = 0;
  for (const std::size_t batch : {4u, 8u, 16u, 24u, 32u, 48u, 64u}) {
    for (const std::size_t queued : {1u, 2u, 4u, 8u}) {
      const Outcome outcome = run_fixed(host, {batch, host.instances, batch * queued - 1}, 6);
      if (outcome.p99 <= goal) best = std::max(best, outcome.per_second);
    }
  }
  return best;
}

TunerLimits limits_of(const Host& host) { return {64, host.instances, 4096}; }

CostModel timed(double base, double per_row) {
  CostModel cost;
  for (std::size_t rows = 1; rows <= 64; rows *= 2) {
    for (int i = 0; i < 30; ++i) {
      cost.observe(rows, std::llround(base + per_row * static_cast<double>(rows)));
    }
  }
  return cost;
}

TunerWindow measured(Nanos p99, std::size_t refused, double busy) {
  return {.length = kWindow,
          .completed = 1000,
          .p99 = p99,
          .p50 = p99 / 2,
          .refused = refused,
          .mean_batch = 16,
          .busy_share = busy};
}

/// Lets the requests leave that were admitted before the last change.
void settle(GoalTuner& tuner, const CostModel& cost) {
  const TunerWindow idle = measured(10 * kMillisecond, 0, 0.1);
  CHECK_FALSE(tuner.step(idle, cost));
}

bool settle_and_step(GoalTuner& tuner, const TunerWindow& window, const CostModel& cost) {
  settle(tuner, cost);
  return tuner.step(window, cost);
}

}  // namespace

TEST_CASE("a tuner leaves the knobs at their limits until a batch was timed") {
  GoalTuner tuner(20 * kMillisecond, {64, 2, 1024});
  CHECK_FALSE(tuner.step(measured(50 * kMillisecond, 10, 1), CostModel()));
  CHECK(tuner.knobs() == Knobs{64, 2, 1024});
  CHECK(tuner.verdict().state == TunerState::learning);
}

TEST_CASE("the first guess is the largest batch and queue that the formula allows") {
  const CostModel cost = timed(2e6, 1e5);
  for (const Nanos goal : {8, 10, 14, 20, 50, 200}) {
    for (const int instances : {1, 2, 4}) {
      GoalTuner tuner(goal * kMillisecond, {64, instances, 100'000});
      REQUIRE(tuner.step({}, cost));
      const Knobs knobs = tuner.knobs();
      const double shortest = 1.5 + 0.5 / instances;
      const auto p95_of = [&](std::size_t rows) { return static_cast<double>(cost.p95(rows)); };
      const double limit = static_cast<double>(goal * kMillisecond);
      CHECK(shortest * p95_of(knobs.max_batch) <= 0.9 * limit);
      CHECK((knobs.max_batch == 64 || shortest * p95_of(knobs.max_batch + 1) > 0.9 * limit));
      const auto latency = [&](std::size_t ahead) {
        const auto batches = static_cast<double>(ahead / knobs.max_batch);
        return (shortest + batches / instances) * p95_of(knobs.max_batch);
      };
      CHECK(latency(knobs.max_rows_ahead) <= 0.95 * limit);
      CHECK(latency(knobs.max_rows_ahead + 1) > 0.95 * limit);
      CHECK(knobs.instances == instances);
    }
  }
}

TEST_CASE("windows of few completions are gathered before they are judged") {
  const CostModel cost = timed(2e6, 1e5);
  GoalTuner tuner(20 * kMillisecond, {64, 1, 1024});
  tuner.step({}, cost);
  settle(tuner, cost);
  TunerWindow small = measured(40 * kMillisecond, 5, 1);
  small.completed = 50;
  int steps = 0;
  while (steps < 100 && !tuner.step(small, cost)) ++steps;
  CHECK(steps == 3);
}

TEST_CASE("a missed goal shrinks the knobs, room and refusals grow them, between is rest") {
  const CostModel cost = timed(2e6, 1e5);
  GoalTuner tuner(20 * kMillisecond, {64, 1, 1024});
  tuner.step({}, cost);
  const Knobs first = tuner.knobs();

  CHECK_FALSE(settle_and_step(tuner, measured(18 * kMillisecond, 100, 1), cost));
  CHECK(tuner.verdict().state == TunerState::steady);
  CHECK_FALSE(settle_and_step(tuner, measured(10 * kMillisecond, 0, 0.5), cost));

  CHECK(settle_and_step(tuner, measured(30 * kMillisecond, 100, 1), cost));
  CHECK(tuner.verdict().state == TunerState::shrinking);
  const Knobs less = tuner.knobs();
  CHECK(less.max_batch <= first.max_batch);
  CHECK(less.max_rows_ahead < first.max_rows_ahead);

  bool grew = false;
  for (int i = 0; i < 20 && !grew; ++i)
    grew = settle_and_step(tuner, measured(10 * kMillisecond, 100, 1), cost);
  CHECK(grew);
  CHECK(tuner.verdict().state == TunerState::growing);
}

TEST_CASE("requests admitted before a change are not held against the knobs after it") {
  const CostModel cost = timed(2e6, 1e5);
  GoalTuner tuner(20 * kMillisecond, {64, 1, 2500});
  tuner.step({}, cost);
  const TunerWindow old = measured(300 * kMillisecond, 100, 1);
  CHECK_FALSE(tuner.step(old, cost));
  CHECK_FALSE(tuner.step(old, cost));
  CHECK_FALSE(tuner.step(old, cost));
  CHECK(tuner.step(old, cost));
}

TEST_CASE("one window a little above the goal is no reason to move") {
  const CostModel cost = timed(2e6, 1e5);
  GoalTuner tuner(20 * kMillisecond, {64, 1, 1024});
  tuner.step({}, cost);
  settle_and_step(tuner, measured(18 * kMillisecond, 1, 1), cost);
  CHECK_FALSE(tuner.step(measured(21 * kMillisecond, 1, 1), cost));
  CHECK_FALSE(tuner.step(measured(19 * kMillisecond, 1, 1), cost));
  CHECK_FALSE(tuner.step(measured(21 * kMillisecond, 1, 1), cost));
  CHECK(tuner.step(measured(21 * kMillisecond, 1, 1), cost));
}

TEST_CASE("a missed goal that no knob caused moves none") {
  const CostModel cost = timed(2e6, 1e5);
  GoalTuner tuner(20 * kMillisecond, {64, 1, 1024});
  tuner.step({}, cost);
  settle(tuner, cost);
  TunerWindow quiet = measured(80 * kMillisecond, 0, 0.1);
  quiet.mean_batch = 1;
  for (int i = 0; i < 10; ++i) CHECK_FALSE(tuner.step(quiet, cost));
}

TEST_CASE("a growth that misses the goal is not tried again at once") {
  const CostModel cost = timed(2e6, 1e5);
  GoalTuner tuner(20 * kMillisecond, {64, 1, 1024});
  tuner.step({}, cost);
  int changes = 0;
  for (int i = 0; i < 200; ++i) {
    const bool grown = tuner.verdict().state == TunerState::growing;
    if (tuner.step(measured((grown ? 25 : 14) * kMillisecond, 100, 1), cost)) ++changes;
  }
  CHECK(changes >= 4);
  CHECK(changes <= 16);
}

TEST_CASE("an unreachable goal is said, and rows that cost nothing still share batches") {
  GoalTuner tight(1 * kMillisecond, {64, 1, 1024});
  const CostModel slow = timed(2e6, 1e3);
  tight.step({}, slow);
  CHECK_FALSE(tight.verdict().reachable);
  CHECK(tight.knobs().max_batch == 64);

  GoalTuner late(5 * kMillisecond, {64, 1, 1024});
  const CostModel steep = timed(2e6, 1e6);
  late.step({}, steep);
  CHECK_FALSE(late.verdict().reachable);
  CHECK(late.knobs() == Knobs{1, 1, 0});

  GoalTuner hidden(20 * kMillisecond, {64, 1, 1024});
  for (int i = 0; i < 100; ++i) hidden.step(measured(60 * kMillisecond, 100, 1), steep);
  CHECK(hidden.knobs() == Knobs{1, 1, 0});
  CHECK_FALSE(hidden.verdict().reachable);
}

TEST_CASE("a frozen tuner holds its knobs, a reset one learns again") {
  const CostModel cost = timed(2e6, 1e5);
  GoalTuner tuner(20 * kMillisecond, {64, 1, 1024});
  tuner.step({}, cost);
  const Knobs held = tuner.knobs();
  tuner.freeze(true);
  CHECK(tuner.verdict().state == TunerState::frozen);
  for (int i = 0; i < 20; ++i) CHECK_FALSE(tuner.step(measured(90 * kMillisecond, 9, 1), cost));
  CHECK(tuner.knobs() == held);
  tuner.freeze(false);
  CHECK(settle_and_step(tuner, measured(90 * kMillisecond, 9, 1), cost));
  CHECK(tuner.knobs() != held);
  tuner.reset();
  CHECK(tuner.knobs() == Knobs{64, 1, 1024});
  CHECK(tuner.verdict().state == TunerState::learning);
  tuner.step({}, cost);
  CHECK(tuner.knobs() == held);
}

TEST_CASE("another goal is another setting") {
  const CostModel cost = timed(2e6, 1e5);
  GoalTuner tuner(20 * kMillisecond, {64, 1, 1024});
  tuner.step({}, cost);
  const Knobs before = tuner.knobs();
  tuner.set_goal(10 * kMillisecond);
  CHECK(tuner.step({}, cost));
  CHECK(tuner.knobs().max_batch < before.max_batch);
}

TEST_CASE("under any load p99 meets the goal, with as much done as by hand, and rest is found") {
  for (const int instances : {1, 2}) {
    for (const Nanos goal : {10, 20, 50}) {
      for (const double load : {0.3, 0.8, 1.0, 1.5, 3.0}) {
        Host host;
        host.instances = instances;
        host.per_second = load * host.saturation();
        CAPTURE(instances);
        CAPTURE(goal);
        CAPTURE(load);
        Simulation simulation(host, 17);
        GoalTuner tuner(goal * kMillisecond, limits_of(host));
        run_tuned(simulation, tuner, 40);
        const Outcome tuned = run_tuned(simulation, tuner, 40);
        CAPTURE(tuner.knobs().max_batch);
        CAPTURE(tuner.knobs().max_rows_ahead);
        CAPTURE(tuner.knobs().instances);
        CHECK(tuned.p99 <= goal * kMillisecond);
        CHECK(tuned.changes <= 6);
        const double best = load < 0.5 ? host.per_second : best_by_hand(host, goal * kMillisecond);
        CHECK(tuned.per_second >= 0.9 * best);
      }
    }
  }
}

TEST_CASE("a load that comes and goes is served within the goal once the tuner has seen it") {
  Host host;
  const double saturation = host.saturation();
  Simulation simulation(host, 31);
  GoalTuner tuner(20 * kMillisecond, limits_of(host));
  for (const double load : {0.2, 3.0, 0.5, 2.0, 0.2, 3.0}) {
    simulation.host().per_second = load * saturation;
    run_tuned(simulation, tuner, 10);
    const Outcome outcome = run_tuned(simulation, tuner, 20);
    CAPTURE(load);
    CHECK(outcome.p99 <= 20 * kMillisecond);
    CHECK(outcome.per_second >= 0.85 * std::min(load, 1.0) * saturation);
    CHECK(outcome.changes <= 4);
  }
}

TEST_CASE("a model that becomes three times slower is followed, and its recovery too") {
  Host host;
  host.per_second = 0.8 * host.saturation();
  Simulation simulation(host, 5);
  GoalTuner tuner(40 * kMillisecond, limits_of(host));
  run_tuned(simulation, tuner, 20);
  const Knobs before = tuner.knobs();

  simulation.host().base_ns *= 3;
  simulation.host().per_row_ns *= 3;
  run_tuned(simulation, tuner, 20);
  CHECK(run_tuned(simulation, tuner, 20).p99 <= 40 * kMillisecond);
  CHECK(tuner.knobs().max_rows_ahead < before.max_rows_ahead);

  simulation.host().base_ns /= 3;
  simulation.host().per_row_ns /= 3;
  run_tuned(simulation, tuner, 40);
  const Outcome after = run_tuned(simulation, tuner, 20);
  CHECK(after.p99 <= 40 * kMillisecond);
  CHECK(after.per_second >= 0.97 * host.per_second);
}

TEST_CASE("instances that take each other's time are reduced, others are kept") {
  for (const bool contended : {false, true}) {
    Host host;
    host.instances = 3;
    host.contention = contended ? 1.2 : 0;
    host.per_second = 2 * 3 * 64e9 / host.time(64, 1);
    Simulation simulation(host, 23);
    GoalTuner tuner(100 * kMillisecond, limits_of(host));
    run_tuned(simulation, tuner, 120);
    CAPTURE(contended);
    CHECK(tuner.knobs().instances == (contended ? 1 : 3));
    tuner.freeze(true);
    CHECK(run_tuned(simulation, tuner, 20).p99 <= 100 * kMillisecond);
  }
}
