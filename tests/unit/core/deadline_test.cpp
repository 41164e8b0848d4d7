#include "aiserve/core/deadline.hpp"

#include <algorithm>
#include <deque>
#include <random>

#include <doctest/doctest.h>

#include "core/deadline_heap.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {
constexpr TimePoint kNow{1000s};

struct Probe : detail::TimerNode {
  explicit Probe(std::vector<int>& target, int number)
      : TimerNode(&Probe::fired), order(target), id(number) {}
  static void fired(TimerNode* node) noexcept {
    auto* self = static_cast<Probe*>(node);
    self->order.push_back(self->id);
  }
  std::vector<int>& order;
  int id;
};
}  // namespace

TEST_CASE("a default deadline is never reached") {
  constexpr Deadline never;
  static_assert(!never.reachable());
  CHECK_FALSE(never.expired(TimePoint::max()));
  CHECK(never.remaining(kNow) == Duration::max());
}

TEST_CASE("a deadline expires at its point, not before") {
  const Deadline deadline = Deadline::after(kNow, 5ms);
  CHECK_FALSE(deadline.expired(kNow));
  CHECK_FALSE(deadline.expired(kNow + 5ms - 1ns));
  CHECK(deadline.expired(kNow + 5ms));
  CHECK(deadline.remaining(kNow + 2ms) == 3ms);
  CHECK(deadline.remaining(kNow + 1h) == 0ns);
}

TEST_CASE("adding to a deadline saturates at both ends") {
  CHECK_FALSE(Deadline::after(kNow, std::chrono::hours::max()).reachable());
  CHECK_FALSE(Deadline::after(kNow, Duration::max()).reachable());
  CHECK(Deadline::after(kNow, std::chrono::hours::min()).expired(kNow));
  CHECK(Deadline::after(kNow, -1ms).expired(kNow));
}

TEST_CASE("the earlier of two deadlines is never the unreachable one") {
  const Deadline soon = Deadline::after(kNow, 1ms);
  CHECK(soon.earlier(Deadline::never()) == soon);
  CHECK(Deadline::never().later(soon) == Deadline::never());
}

TEST_CASE("timers fire in the order of their deadlines") {
  detail::DeadlineHeap heap;
  std::vector<int> order;
  Probe late(order, 3), early(order, 1), middle(order, 2);
  heap.arm(late, kNow + 3ms);
  heap.arm(early, kNow + 1ms);
  heap.arm(middle, kNow + 2ms);
  CHECK(heap.next() == Deadline(kNow + 1ms));
  CHECK(heap.fire_due(kNow + 2ms) == 2);
  CHECK(order == std::vector<int>{1, 2});
  CHECK(late.armed());
  heap.arm(late, kNow + 10ms);
  CHECK(heap.fire_due(kNow + 9ms) == 0);
  CHECK(heap.fire_due(kNow + 10ms) == 1);
  CHECK(heap.size() == 0);
}

TEST_CASE("a timer that goes out of scope is disarmed") {
  detail::DeadlineHeap heap;
  std::vector<int> order;
  Probe stays(order, 1);
  heap.arm(stays, kNow + 2ms);
  {
    Probe goes(order, 2);
    heap.arm(goes, kNow + 1ms);
  }
  CHECK(heap.fire_due(kNow + 1h) == 1);
  CHECK(order == std::vector<int>{1});
}

TEST_CASE("the heap keeps its order under random arming and disarming") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    detail::DeadlineHeap heap;
    std::vector<int> order;
    std::deque<Probe> probes;
    for (int i = 0; i < 40; ++i) {
      Probe& probe = probes.emplace_back(order, static_cast<int>(random() % 50));
      heap.arm(probe, kNow + std::chrono::milliseconds(probe.id));
    }
    for (int i = 0; i < 15; ++i) heap.disarm(probes[random() % probes.size()]);
    const std::size_t armed = heap.size();
    CHECK(heap.fire_due(kNow + 1s) == armed);
    CHECK(std::is_sorted(order.begin(), order.end()));
  }
}
