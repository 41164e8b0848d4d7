#include "decide/scheduler.hpp"

#include <deque>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr Nanos kMillisecond = 1'000'000;

/// A scheduler and items that stay where they are.
struct Bench {
  explicit Bench(SchedulerOptions options = {}) : scheduler(options) {}

  QueueItem& item(Nanos deadline = kNever) {
    QueueItem& made = items.emplace_back();
    made.arrived = now;
    made.deadline = deadline;
    return made;
  }
  Admission admit(QueueItem& made, std::string_view tenant = "a", double weight = 1) {
    return scheduler.admit(made, {.tenant = tenant, .weight = weight}, now);
  }
  Admission ask(std::string_view tenant = "a", Nanos deadline = kNever) {
    return admit(item(deadline), tenant);
  }
  BatchDecision pick() {
    picked.clear();
    return scheduler.pick(now, 1, 0, picked);
  }
  /// The model's time is 1 ms for any batch up to 8, as if it had been observed.
  void teach(Nanos took = kMillisecond) {
    for (int i = 0; i < 16; ++i) {
      for (const std::size_t rows : {1U, 2U, 4U, 8U}) scheduler.observe(0, rows, took);
    }
  }

  Nanos now = 1'000 * kMillisecond;
  std::deque<QueueItem> items;
  Scheduler scheduler;
  Picked picked;
};

}  // namespace

TEST_CASE("what was admitted is picked, oldest first") {
  Bench bench;
  for (int i = 0; i < 3; ++i) CHECK(bench.ask().verdict == AdmissionVerdict::accepted);
  const BatchDecision decision = bench.pick();
  CHECK(decision.action == BatchAction::run);
  CHECK(decision.rows == 3);
  REQUIRE(bench.picked.members.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(bench.picked.members[i] == &bench.items[i]);
  CHECK(bench.pick().action == BatchAction::sleep);
}

TEST_CASE("a full queue refuses the tenant that fills it and makes room for another") {
  Bench bench({.max_queue = 4});
  for (int i = 0; i < 4; ++i) bench.ask("flood");
  CHECK(bench.ask("flood").verdict == AdmissionVerdict::full);
  const Admission quiet = bench.ask("quiet");
  CHECK(quiet.verdict == AdmissionVerdict::accepted);
  REQUIRE(quiet.evicted.size() == 1);
  CHECK(quiet.evicted[0] == &bench.items[3]);
  CHECK_FALSE(bench.items[3].queued());
  CHECK(bench.scheduler.rows() == 4);
}

TEST_CASE("a tenant's own limit refuses whatever room there is") {
  Bench bench;
  QueueItem& first = bench.item();
  QueueItem& second = bench.item();
  const Claimant limited{.tenant = "small", .max_queue = 1};
  CHECK(bench.scheduler.admit(first, limited, bench.now).verdict == AdmissionVerdict::accepted);
  CHECK(bench.scheduler.admit(second, limited, bench.now).verdict == AdmissionVerdict::tenant_full);
}

TEST_CASE("who could not be answered in time is refused at the door with a time to come back") {
  Bench bench({.max_batch = 8, .max_queue = 100});
  bench.teach();
  for (int i = 0; i < 32; ++i) bench.ask();
  const Admission late = bench.ask("a", bench.now + 3 * kMillisecond);
  CHECK(late.verdict == AdmissionVerdict::late);
  CHECK(late.wait > 0);
  CHECK(bench.ask("a", bench.now + 20 * kMillisecond).verdict == AdmissionVerdict::accepted);
  // The flood is not in a quiet tenant's way.
  CHECK(bench.ask("quiet", bench.now + 3 * kMillisecond).verdict == AdmissionVerdict::accepted);
}

TEST_CASE("an expired item and one predicted to be late are given up before they are run") {
  Bench bench({.max_batch = 8});
  bench.teach();
  bench.admit(bench.item(bench.now + 3 * kMillisecond));
  bench.admit(bench.item(bench.now + 20 * kMillisecond));
  bench.now += 2 * kMillisecond + kMillisecond / 2;  // half a batch is left of the first's time
  CHECK(bench.pick().rows == 1);
  REQUIRE(bench.picked.late.size() == 1);
  CHECK(bench.picked.late[0] == &bench.items[0]);
  CHECK(bench.picked.members[0] == &bench.items[1]);
}

TEST_CASE("a deadline that a smaller batch meets makes the batch smaller") {
  Bench bench({.max_batch = 8});
  for (int i = 0; i < 16; ++i) {
    for (const std::size_t rows : {1U, 2U, 4U, 8U}) {
      bench.scheduler.observe(0, rows, static_cast<Nanos>(rows) * kMillisecond);
    }
  }
  bench.admit(bench.item(bench.now + 5 * kMillisecond));
  for (int i = 0; i < 7; ++i) bench.ask();
  const BatchDecision decision = bench.pick();
  CHECK(decision.rows == 4);
  CHECK(decision.reason == BatchReason::deadline);
  CHECK(bench.picked.late.empty());
}

TEST_CASE("one slow batch does not shut the door for good") {
  Bench bench({.max_batch = 8});
  bench.teach(10'000 * kMillisecond);
  int accepted = 0;
  for (int i = 0; i < 100; ++i) {
    const Admission admission = bench.ask("a", bench.now + 50 * kMillisecond);
    if (admission.verdict == AdmissionVerdict::accepted) ++accepted;
    bench.pick();
    bench.now += kMillisecond;
  }
  CHECK(accepted >= 1);
  CHECK(accepted <= 5);
}

TEST_CASE("a flood of requests that would be late gets none in while others wait") {
  Bench bench({.max_batch = 8});
  bench.teach(10 * kMillisecond);
  const Nanos deadline = bench.now + 15 * kMillisecond;
  while (bench.ask("a", deadline).verdict == AdmissionVerdict::accepted) {
  }
  const std::size_t queued = bench.scheduler.rows();
  for (int i = 0; i < 320; ++i) bench.ask("a", deadline);
  CHECK(bench.scheduler.rows() == queued);
}

TEST_CASE("items whose callers have gone are not run") {
  Bench bench({.alive = [](const QueueItem& item) noexcept { return item.cost < 2; }});
  bench.item().cost = 3;
  bench.admit(bench.items.back());
  bench.ask();
  CHECK(bench.pick().rows == 1);
  REQUIRE(bench.picked.gone.size() == 1);
  CHECK(bench.picked.gone[0] == &bench.items[0]);
}

TEST_CASE("a batch stops at its cost, and one item may have more than that") {
  Bench bench({.max_cost = 10});
  for (const double cost : {4.0, 4.0, 4.0, 30.0}) {
    bench.item().cost = cost;
    bench.admit(bench.items.back());
  }
  CHECK(bench.pick().rows == 2);
  CHECK(bench.pick().rows == 1);
  CHECK(bench.pick().rows == 1);
  CHECK(bench.picked.members[0]->cost == 30);
}

TEST_CASE("a group stays together") {
  Bench bench({.max_batch = 4});
  bench.ask();
  bench.ask();
  bench.item().rows = 3;
  bench.admit(bench.items.back());
  CHECK(bench.pick().rows == 2);
  CHECK(bench.pick().rows == 3);
}

TEST_CASE("two tenants share a batch by weight") {
  Bench bench({.max_batch = 8});
  for (int i = 0; i < 20; ++i) bench.admit(bench.item(), "light", 1);
  for (int i = 0; i < 20; ++i) bench.admit(bench.item(), "heavy", 3);
  CHECK(bench.pick().rows == 8);
  int heavy = 0;
  for (std::size_t i = 20; i < 40; ++i) heavy += bench.items[i].queued() ? 0 : 1;
  CHECK(heavy == 6);
}

TEST_CASE("background items fill only the slots that are left over") {
  Bench bench({.max_batch = 4});
  for (int i = 0; i < 3; ++i) {
    bench.item().priority = Priority::background;
    bench.admit(bench.items.back());
  }
  for (int i = 0; i < 3; ++i) bench.ask();
  bench.pick();
  REQUIRE(bench.picked.members.size() == 4);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(bench.picked.members[i]->priority == Priority::normal);
  }
  CHECK(bench.picked.members[3]->priority == Priority::background);
}

TEST_CASE("a batch held for an announced arrival says so") {
  Bench bench({.max_batch = 8});
  bench.teach();
  bench.scheduler.announce();
  bench.ask();
  const BatchDecision held = bench.pick();
  CHECK(held.action == BatchAction::wait);
  CHECK(held.until == bench.now + kMillisecond / 10);  // a tenth of T(1)
  bench.now = held.until;
  CHECK(bench.pick().reason == BatchReason::wait);
  bench.scheduler.retract();
  bench.ask();
  CHECK(bench.pick().reason == BatchReason::idle);
}

TEST_CASE("with a learned cap a model that batching hurts runs single rows") {
  Bench bench({.max_batch = 8, .learn_cap = true});
  for (int i = 0; i < 32; ++i) {
    for (const std::size_t rows : {1U, 2U, 4U, 8U}) {
      bench.scheduler.observe(0, rows, static_cast<Nanos>(rows * rows) * kMillisecond);
    }
  }
  for (int i = 0; i < 8; ++i) bench.ask();
  CHECK(bench.pick().rows == 1);
}

TEST_CASE("a hold ends when a batch is full, or nothing is announced any more") {
  Bench bench({.max_batch = 4});
  bench.teach();
  bench.scheduler.announce();
  bench.ask();
  CHECK(bench.pick().action == BatchAction::wait);
  CHECK_FALSE(bench.scheduler.worth_waking());
  for (int i = 0; i < 3; ++i) bench.ask();
  CHECK(bench.scheduler.worth_waking());
  CHECK(bench.pick().rows == 4);

  bench.ask();
  CHECK(bench.pick().action == BatchAction::wait);
  CHECK_FALSE(bench.scheduler.worth_waking());
  bench.scheduler.retract();
  CHECK(bench.scheduler.worth_waking());
}

TEST_CASE("what is learned is told of the lane that most rows ran in") {
  Bench bench;
  bench.scheduler.finished(0, 1, kMillisecond);
  bench.scheduler.finished(3, 8, 5 * kMillisecond);
  CHECK(bench.scheduler.main_costs().mean(8) == 5 * kMillisecond);
  bench.scheduler.forget_lane(3);
  CHECK_FALSE(bench.scheduler.costs(3).known());
}

TEST_CASE("a tenant's own limit counts the rows of its groups") {
  Bench bench;
  bench.item().rows = 60;
  const Claimant limited{.tenant = "small", .max_queue = 100};
  CHECK(bench.scheduler.admit(bench.items.back(), limited, bench.now).verdict ==
        AdmissionVerdict::accepted);
  bench.item().rows = 60;
  CHECK(bench.scheduler.admit(bench.items.back(), limited, bench.now).verdict ==
        AdmissionVerdict::tenant_full);
}

TEST_CASE("who is pushed out is told when to come back") {
  Bench bench({.max_batch = 1, .max_queue = 4});
  bench.teach();
  for (int i = 0; i < 4; ++i) bench.ask("flood");
  const Admission quiet = bench.ask("quiet");
  REQUIRE(quiet.evicted.size() == 1);
  CHECK(quiet.wait >= 3 * kMillisecond);
}
