#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include "decide/fair_queue.hpp"
#include "unit/decide/fair_items.hpp"
#include "unit/decide/fair_model.hpp"

using namespace fair_test;

namespace {

/// Seeded; the same numbers with every standard library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  /// 0 to sides - 1.
  int roll(int sides) { return static_cast<int>(engine_() % static_cast<unsigned>(sides)); }
  bool one_in(int n) { return roll(n) == 0; }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[roll(static_cast<int>(choices.size()))];
  }

 private:
  std::mt19937_64 engine_;
};

/// A random life of a FairQueue beside its model. Weights are powers of two and costs multiples of
/// 1/4, so that sums are exact and both must agree to the last bit.
class Trace {
 public:
  explicit Trace(std::uint64_t seed)
      : dice_(seed),
        options_{.ageing = dice_.pick<Nanos>({0, 20, 100}), .patience = dice_.pick<Nanos>({0, 60})},
        fixture_(options_),
        model_(options_),
        deadlines_(dice_.roll(3)) {}

  /// Empty if all is well, else what went wrong.
  std::string run(int steps) {
    for (int i = 0; i < steps && wrong_.empty(); ++i) step();
    while (wrong_.empty() && fixture_.queue.items() != 0) take();
    if (wrong_.empty() && ended_.size() != fixture_.items.size()) wrong_ = "an item got lost";
    return wrong_;
  }

 private:
  void step() {
    now_ += dice_.roll(4);
    switch (dice_.roll(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return push();
      case 4:
        return remove();
      case 5:
        return age();
      case 6:
        return fixture_.queue.passed(lane_), model_.passed(lane_);
      case 7:
        return check_victim();
      default:
        return take();
    }
  }

  void push() {
    const Spec spec{.tenant = dice_.pick<std::string>({"a", "b", "c", "d"}),
                    .weight = dice_.pick({0.5, 1.0, 1.0, 1.0, 4.0}),
                    .priority = static_cast<Priority>(dice_.roll(3)),
                    .arrived = now_ - (dice_.one_in(8) ? dice_.roll(30) : 0),
                    .deadline = deadline(),
                    .lane = static_cast<std::uint32_t>(dice_.roll(3)) * 1'000'003u,
                    .cost = 0.25 * (1 + dice_.roll(20)),
                    .rows = static_cast<std::uint32_t>(1 + dice_.roll(4))};
    model_.push(fixture_.push(spec), spec.tenant, spec.weight);
    check_views();
  }

  /// None, one and the same timeout, or any.
  Nanos deadline() {
    if (deadlines_ == 0 || dice_.one_in(4)) return kNever;
    return now_ + (deadlines_ == 1 ? 40 : dice_.roll(100));
  }

  void remove() {
    if (fixture_.items.empty()) return;
    Item& item = fixture_.items[static_cast<std::size_t>(dice_.roll(int(fixture_.items.size())))];
    const bool waits = ended_.count(&item) == 0;
    expect(item.queued() == waits, "queued() is wrong");
    expect(fixture_.queue.remove(item) == waits, "remove() is wrong");
    if (!waits) return;
    ended_.insert(&item);
    model_.remove(item);
  }

  void age() {
    fixture_.queue.age(now_);
    model_.age(now_);
    for (const FairModel::Entry& entry : model_.entries()) {
      expect(entry.item->effective_priority() == entry.priority, "aged to another class");
    }
  }

  void take() {
    lane_ = static_cast<std::uint32_t>(dice_.roll(3)) * 1'000'003u;
    const auto rows = static_cast<std::size_t>(dice_.roll(8));
    const double cost = dice_.roll(12);
    const bool first = dice_.one_in(2);
    QueueItem* expected = model_.next(lane_);
    const bool fits =
        expected != nullptr && (first || (expected->rows <= rows && expected->cost <= cost));
    QueueItem* taken = fixture_.queue.take(lane_, rows, cost, first);
    expect(taken == (fits ? expected : nullptr), "another item was next");
    if (taken == nullptr || !wrong_.empty()) return;
    expect(ended_.insert(taken).second, "an item was taken twice");
    model_.take(*taken);
    check_views();
  }

  void check_victim() {
    const std::string newcomer = dice_.pick<std::string>({"a", "b", "c", "e"});
    const bool known = fixture_.queue.items_of(newcomer) != 0;
    const double weight = known ? model_.weight(newcomer) : 1;
    const double cost = dice_.roll(3);
    const double own = (model_.cost_of(newcomer) + cost) / weight;
    double most = 0;
    double weights = 0;
    for (const std::string& tenant : tenants()) {
      most = std::max(most, model_.cost_of(tenant) / model_.weight(tenant));
      weights += model_.weight(tenant);
    }
    auto* victim = static_cast<Item*>(fixture_.queue.victim(newcomer, weight, cost));
    expect((victim != nullptr) == (own < most), "refused or let in wrongly");
    if (victim == nullptr || !wrong_.empty()) return;
    const double load = model_.cost_of(victim->tenant) / model_.weight(victim->tenant);
    expect(load == most, "not of the heaviest tenant");
    expect(load * weights >= fixture_.queue.cost(), "of a tenant below its share");
    expect(is_last(*victim), "not the last item of its tenant");
  }

  bool is_last(const Item& item) const {
    const FairModel::Entry* last = nullptr;
    const auto order = [](const FairModel::Entry& entry) {
      return std::tuple(entry.priority, entry.key, entry.sequence);
    };
    for (const FairModel::Entry& entry : model_.entries()) {
      if (entry.tenant != item.tenant) continue;
      if (last == nullptr || order(entry) > order(*last)) last = &entry;
    }
    return last->item == &item;
  }

  std::set<std::string> tenants() const {
    std::set<std::string> tenants;
    for (const FairModel::Entry& entry : model_.entries()) tenants.insert(entry.tenant);
    return tenants;
  }

  void check_views() {
    std::vector<LaneView> views;
    fixture_.queue.views(views);
    std::size_t items = 0;
    std::size_t rows = 0;
    double cost = 0;
    for (const LaneView& view : views) {
      expect(same(view, model_.view(view.lane)), "a view is wrong");
      items += view.items;
      rows += view.rows;
      cost += view.cost;
    }
    expect(views.size() == fixture_.queue.lanes(), "lanes() is wrong");
    expect(items == model_.entries().size() && items == fixture_.queue.items(), "items() is wrong");
    expect(rows == fixture_.queue.rows() && cost == fixture_.queue.cost(), "a total is wrong");
  }

  static bool same(const LaneView& a, const LaneView& b) {
    const auto all = [](const LaneView& v) {
      return std::tuple(v.lane, v.items, v.rows, v.cost, v.oldest, v.earliest_deadline, v.best,
                        v.share, v.passed_over);
    };
    return all(a) == all(b);
  }

  void expect(bool good, const char* what) {
    if (!good && wrong_.empty()) wrong_ = what;
  }

  Dice dice_;
  FairQueueOptions options_;
  Fixture fixture_;
  FairModel model_;
  int deadlines_;
  Nanos now_ = 1000;
  std::uint32_t lane_ = 0;
  std::set<const QueueItem*> ended_;
  std::string wrong_;
};

/// Keeps tenants backlogged in all lanes, takes from random lanes, and returns the largest
/// difference in service per weight ever seen, as a part of what is allowed.
double worst_gap(std::uint64_t seed) {
  Dice dice(seed);
  Fixture f;
  const int lanes = 1 + dice.roll(3);
  const std::vector<std::string> names{"a", "b", "c"};
  std::map<std::string, double> weight;
  std::map<std::string, double> largest;
  std::map<std::string, double> served;
  for (const std::string& name : names) {
    weight[name] = dice.pick({0.1, 1.0, 3.0, 7.5});
    largest[name] = 1 + dice.roll(30);
  }
  const auto refill = [&](const std::string& name, int lane) {
    f.push({.tenant = name,
            .weight = weight[name],
            .lane = static_cast<std::uint32_t>(lane),
            .cost = 1.0 + dice.roll(static_cast<int>(largest[name]))});
  };
  for (const std::string& name : names) {
    for (int lane = 0; lane < lanes; ++lane) refill(name, lane), refill(name, lane);
  }
  double worst = 0;
  for (int i = 0; i < 200; ++i) {
    const Item& item = *f.take(static_cast<std::uint32_t>(dice.roll(lanes)));
    served[item.tenant] += item.cost / weight[item.tenant];
    refill(item.tenant, static_cast<int>(item.lane));
    for (const std::string& a : names) {
      for (const std::string& b : names) {
        const double bound = largest[a] / weight[a] + largest[b] / weight[b];
        worst = std::max(worst, std::abs(served[a] - served[b]) / bound);
      }
    }
  }
  return worst;
}

/// An endless stream of `stream`, `backlog` of them always waiting, and one item beside it: after
/// how many time steps (one item each) is that taken?
int steps_until_taken(const Spec& stream, const Spec& beside, int backlog,
                      FairQueueOptions options) {
  Fixture f(options);
  f.push(backlog, stream);
  const Item& waiting = f.push(beside);
  int now = 0;
  while (waiting.queued() && now < 100'000) {
    ++now;
    f.queue.age(now);
    f.take();
    Spec next = stream;
    next.arrived = now;
    if (stream.deadline != kNever) next.deadline = now + stream.deadline;
    f.push(next);
  }
  return now;
}

}  // namespace

TEST_CASE("over thousands of random traces the queue does what its obvious model does") {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const std::string wrong = Trace(seed).run(100);
    INFO("seed " << seed);
    REQUIRE(wrong == "");
  }
}

TEST_CASE("long traces with much queued agree with the model too") {
  for (std::uint64_t seed = 10'000; seed < 10'004; ++seed) {
    const std::string wrong = Trace(seed).run(1000);
    INFO("seed " << seed);
    REQUIRE(wrong == "");
  }
}

TEST_CASE("backlogged tenants never differ by more than one item each in service per weight") {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    INFO("seed " << seed);
    REQUIRE(worst_gap(seed) <= 1 + 1e-9);
  }
}

TEST_CASE(
    "a tenant's items of a lane and class come as they arrived, by deadline if they have one") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Dice dice(seed);
    Fixture f({.ageing = 0});
    for (int i = 0; i < 200; ++i) {
      f.push({.tenant = dice.pick<std::string>({"a", "b", "c"}),
              .priority = static_cast<Priority>(dice.roll(3)),
              .arrived = i / 3,
              .deadline = seed % 2 == 0 ? kNever : 1 + dice.roll(50),
              .lane = static_cast<std::uint32_t>(dice.roll(2))});
    }
    std::map<std::tuple<std::string, Priority, std::uint32_t>, std::pair<Nanos, int>> last;
    for (std::uint32_t lane = 0; lane < 2; ++lane) {
      while (const Item* item = f.take(lane)) {
        const std::pair<Nanos, int> order{item->deadline, item->number};
        auto& before = last.try_emplace({item->tenant, item->priority, lane}, 0, -1).first->second;
        REQUIRE(before < order);
        before = order;
      }
    }
  }
}

TEST_CASE("an endless stream of better work delays another tenant's item by no more than ageing") {
  for (const int backlog : {1, 10, 200}) {
    for (const Nanos deadline : {kNever, Nanos(5), Nanos(500)}) {
      const Spec stream{.priority = Priority::interactive, .deadline = deadline};
      const Spec normal{.tenant = "b", .priority = Priority::normal};
      const Spec background{.tenant = "b", .priority = Priority::background};
      const FairQueueOptions options{.ageing = 1000, .patience = 300};
      const int first = steps_until_taken(stream, normal, backlog, options);
      CHECK(first >= 1000);
      CHECK(first <= 1000 + 2);
      const int second = steps_until_taken(stream, background, backlog, options);
      CHECK(second >= 2000);
      CHECK(second <= 2000 + 2);
    }
  }
}

TEST_CASE("a tenant's own stream delays its item by no more than ageing, patience and backlog") {
  for (const int backlog : {1, 10, 200}) {
    for (const Nanos deadline : {kNever, Nanos(5), Nanos(500)}) {
      const Spec stream{.priority = Priority::interactive, .deadline = deadline};
      const FairQueueOptions options{.ageing = 1000, .patience = 300};
      const int taken =
          steps_until_taken(stream, {.priority = Priority::background}, backlog, options);
      CHECK(taken >= 2000);
      CHECK(taken <= 2000 + 300 + backlog);
    }
  }
}

TEST_CASE("without a class above, an item with no deadline waits for no more than its patience") {
  const Spec urgent{.priority = Priority::interactive, .deadline = 5};
  const int taken = steps_until_taken(urgent, {.priority = Priority::interactive}, 10,
                                      {.ageing = 0, .patience = 300});
  CHECK(taken >= 290);
  CHECK(taken <= 300 + 10);
}

TEST_CASE("ten thousand tenants come and go, and only the last of them are remembered") {
  Fixture f;
  for (int i = 0; i < 10'000; ++i) {
    const std::string tenant = "tenant-with-a-long-name-" + std::to_string(i);
    f.push(2, {.tenant = tenant, .lane = static_cast<std::uint32_t>(i % 7)});
    REQUIRE(f.queue.items_of(tenant) == 2);
    if (i >= 50) f.take(static_cast<std::uint32_t>(i % 7));
    if (i >= 50) f.take(static_cast<std::uint32_t>(i % 7));
    REQUIRE(f.queue.idle_tenants() <= FairTenants::kMaxIdle);
  }
  CHECK(f.queue.items() == 100);
}

TEST_CASE("ten thousand tenants wait at once, are served once each in turn, and are forgotten") {
  Fixture f;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 10'000; ++i) f.push({.tenant = std::to_string(i)});
  }
  CHECK(f.queue.idle_tenants() == 0);
  std::set<std::string> served;
  for (int i = 0; i < 10'000; ++i) served.insert(f.take()->tenant);
  CHECK(served.size() == 10'000);
  for (int i = 0; i < 10'000; ++i) f.take();
  CHECK(f.queue.items() == 0);
  CHECK(f.queue.idle_tenants() == FairTenants::kMaxIdle);
}

TEST_CASE("a flood of ten to one does not change the shares of equal tenants, nor of 1 to 3") {
  for (const double weight : {1.0, 3.0}) {
    Fixture f;
    std::map<std::string, int> served;
    for (int i = 0; i < 4000; ++i) {
      f.push(10, {.tenant = "flood", .weight = 1});
      if (f.queue.items_of("quiet") < 4) f.push({.tenant = "quiet", .weight = weight});
      ++served[f.take()->tenant];
    }
    const double share = served["quiet"] / 4000.0;
    CHECK(share == doctest::Approx(weight / (1 + weight)).epsilon(0.001));
  }
}
