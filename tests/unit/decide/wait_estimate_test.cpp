#include "decide/wait_estimate.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "unit/decide/job_world.hpp"

using namespace aiserve::decide;
using job_test::JobWorld;

namespace {

constexpr double kSecond = 1e9;

double between(std::mt19937_64& random, double least, double most) {
  return std::uniform_real_distribution<double>(least, most)(random);
}

WaitView any_view(std::mt19937_64& random) {
  WaitView view;
  view.queued = 1 + random() % 100;
  view.own_work = between(random, 0.1, 100) * kSecond;
  view.all_work = view.own_work + between(random, 0, 100) * kSecond;
  view.running_work = between(random, 0, 10) * kSecond;
  view.slots = 1 + random() % 16;
  view.weight = between(random, 0.1, 4);
  view.all_weights = view.weight + between(random, 0, 10);
  if (random() % 2 == 0) view.max_running = 1 + random() % 4;
  return view;
}

}  // namespace

TEST_CASE("alone, a tenant's work is shared by all slots") {
  CHECK(estimate_wait({.queued = 8, .own_work = 8e9, .all_work = 8e9, .slots = 4}) ==
        2'000'000'000);
  CHECK(estimate_wait({.slots = 4}) == 0);
}

TEST_CASE("beside a flood its own work takes its own share of the slots") {
  const WaitView view{.own_work = 8e9, .all_work = 1e15, .slots = 4, .weight = 1, .all_weights = 2};
  CHECK(estimate_wait(view) == 4'000'000'000);
}

TEST_CASE("beside a little work of many tenants it takes no longer than all of it") {
  const WaitView view{.own_work = 8e9, .all_work = 9e9, .slots = 1, .weight = 1, .all_weights = 50};
  CHECK(estimate_wait(view) == 9'000'000'000);
}

TEST_CASE("a limit on what runs at once slows its own work down") {
  const WaitView view{.own_work = 8e9, .all_work = 8e9, .slots = 4, .max_running = 2};
  CHECK(estimate_wait(view) == 4'000'000'000);
}

TEST_CASE("without slots, or paused, it never starts") {
  CHECK(estimate_wait({.slots = 0}) == kNever);
  CHECK(estimate_wait({.max_running = 0}) == kNever);
  CHECK(judge({.slots = 0}, {.start_within = 5}).answer == DoorAnswer::too_late);
  CHECK(judge({.slots = 0}, {.start_within = 5}).retry_after == kNever);
  CHECK(judge({.slots = 0}, {}).answer == DoorAnswer::open);
}

TEST_CASE("over random queues more work never waits less; more slots, weight or room never more") {
  std::mt19937_64 random(41);
  for (int i = 0; i < 10'000; ++i) {
    const WaitView view = any_view(random);
    const Nanos wait = estimate_wait(view);
    WaitView other = view;
    other.own_work += kSecond;
    other.all_work += kSecond;
    CHECK(estimate_wait(other) >= wait);
    other = view;
    other.all_work += kSecond;
    CHECK(estimate_wait(other) >= wait);
    other = view;
    ++other.slots;
    CHECK(estimate_wait(other) <= wait);
    other = view;
    other.max_running = SIZE_MAX;
    CHECK(estimate_wait(other) <= wait);
    other = view;
    other.weight *= 2;
    other.all_weights += view.weight;
    CHECK(estimate_wait(other) <= wait + 1);
  }
}

TEST_CASE("a bounded queue refuses what does not fit, with the time until it will") {
  const WaitView view{.queued = 10, .own_work = 10e9, .all_work = 10e9, .slots = 1};
  CHECK(judge(view, {.max_queued = 11}).answer == DoorAnswer::open);
  const JobDoor door = judge(view, {.max_queued = 12, .count = 5});
  CHECK(door.answer == DoorAnswer::full);
  CHECK(door.retry_after == 3'000'000'000);
  CHECK(judge(view, {.max_queued = 12, .count = 13}).answer == DoorAnswer::too_many);
  CHECK(judge(view, {.max_queued = 10}).answer == DoorAnswer::full);
}

TEST_CASE("what can't start in time is refused at the door, with how much too late it is") {
  const WaitView view{.queued = 10, .own_work = 10e9, .all_work = 10e9, .slots = 1};
  CHECK(judge(view, {.start_within = 10'000'000'000}).answer == DoorAnswer::open);
  const JobDoor door = judge(view, {.start_within = 7'000'000'000});
  CHECK(door.answer == DoorAnswer::too_late);
  CHECK(door.retry_after == 3'000'000'000);
  CHECK(judge(view, {.start_within = -5}).answer == DoorAnswer::too_late);
  const DoorRules many{.count = 4, .work = 3e9, .start_within = 12'000'000'000};
  CHECK(judge(view, many).retry_after == 1'000'000'000);
}

TEST_CASE("over random worlds the last job of each tenant starts no later than was estimated") {
  std::mt19937_64 random(43);
  double tightness = 0;
  int compared = 0;
  for (int run = 0; run < 3'000; ++run) {
    CAPTURE(run);
    const std::size_t slots = 1 + random() % 6;
    std::vector<double> weights(1 + random() % 4);
    for (double& weight : weights) weight = between(random, 0.5, 4);
    const double cost = between(random, 0.5, 2);
    JobWorld world(slots, weights, 1);
    world.shares.settled("", "kind0", 0, cost);
    double all = 0;
    for (std::size_t tenant = 0; tenant < weights.size(); ++tenant) {
      if (random() % 3 == 0) world.tenants[tenant].limit.max_running = 1 + random() % 3;
      for (std::size_t n = 20 + random() % 60; n > 0; --n) world.submit(tenant, 0, cost);
      all += static_cast<double>(world.queued(tenant)) * cost;
    }
    std::vector<double> estimates;
    for (std::size_t tenant = 0; tenant < weights.size(); ++tenant) {
      const WaitView view{
          .own_work = static_cast<double>(world.queued(tenant) - 1) * cost * kSecond,
          .all_work = (all - cost) * kSecond,
          .slots = slots,
          .weight = weights[tenant],
          .all_weights = std::accumulate(weights.begin(), weights.end(), 0.0),
          .max_running = world.tenants[tenant].limit.max_running};
      estimates.push_back(static_cast<double>(estimate_wait(view)) / kSecond);
    }
    std::vector<double> last(weights.size(), 0);
    do {
      world.start([&](const JobWorld::Started& job) { last[job.tenant] = job.at; });
      world.advance();
    } while (!world.idle());
    // The estimate is a fluid; jobs come in pieces: one of each other tenant, and one of its own.
    const double weight = std::accumulate(weights.begin(), weights.end(), 0.0);
    const double slots_each = static_cast<double>(slots) / weight;
    for (std::size_t tenant = 0; tenant < weights.size(); ++tenant) {
      const double pieces = static_cast<double>(weights.size()) / static_cast<double>(slots) +
                            1 / std::min(1.0, slots_each * weights[tenant]);
      // Each time it meets its own limit a tenant forgets what it was behind.
      const bool limited = world.tenants[tenant].limit.max_running != SIZE_MAX;
      CHECK(last[tenant] <= estimates[tenant] * (limited ? 1.05 : 1) + cost * pieces);
      tightness += last[tenant] / estimates[tenant];
      ++compared;
    }
  }
  CHECK(tightness / compared > 0.6);
}
