#include "decide/fair_queue.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "unit/decide/fair_items.hpp"

using namespace fair_test;

using Numbers = std::vector<int>;

TEST_CASE("an empty queue has nothing to take, view or push out") {
  Fixture f;
  CHECK(f.take() == nullptr);
  CHECK(f.queue.lanes() == 0);
  CHECK(f.queue.victim("a", 1) == nullptr);
  CHECK(f.queue.items_of("a") == 0);
  f.queue.age(1'000'000'000'000);
  f.queue.passed(0);
  std::vector<LaneView> views(3);
  f.queue.views(views);
  CHECK(views.empty());
}

TEST_CASE("items of one tenant without deadlines come out as they arrived") {
  Fixture f;
  for (Nanos at = 0; at < 100; ++at) f.push({.arrived = at});
  for (int number = 0; number < 100; ++number) CHECK(f.take()->number == number);
  CHECK(f.take() == nullptr);
}

TEST_CASE("the earliest deadline goes first, equal ones as they arrived") {
  Fixture f;
  for (const Nanos deadline : {50, 20, 90, 20, 10}) f.push({.deadline = deadline});
  CHECK(f.take_numbers(5) == Numbers{4, 1, 3, 0, 2});
}

TEST_CASE("an item without a deadline counts as due when its patience ends") {
  Fixture f({.patience = 100});
  f.push({.arrived = 0});
  f.push({.arrived = 1, .deadline = 90});
  f.push({.arrived = 2, .deadline = 110});   // due at 102
  f.push({.arrived = 3, .deadline = 2000});  // due at 103
  CHECK(f.take_numbers(4) == Numbers{1, 0, 2, 3});
}

TEST_CASE("a time near the end of time does not overflow") {
  Fixture f({.patience = kNever});
  f.push({.arrived = 10});
  f.push({.arrived = 20, .deadline = kNever - 1});
  CHECK(f.take_numbers(2) == Numbers{1, 0});
}

TEST_CASE("tenants of equal weight take turns whatever each has queued") {
  Fixture f;
  f.push(100, {.tenant = "a"});
  f.push(3, {.tenant = "b"});
  CHECK(f.take_tenants(8) == "abababaa");
}

TEST_CASE("a tenant of weight 3 gets three items for one of weight 1") {
  Fixture f;
  f.push(100, {.tenant = "a", .weight = 1});
  f.push(100, {.tenant = "b", .weight = 3});
  const std::string taken = f.take_tenants(40);
  CHECK(std::count(taken.begin(), taken.end(), 'a') == 10);
}

TEST_CASE("tenants are charged by cost, not by number") {
  Fixture f;
  f.push(100, {.tenant = "a", .cost = 4});
  f.push(100, {.tenant = "b", .cost = 1});
  const std::string taken = f.take_tenants(50);
  CHECK(std::count(taken.begin(), taken.end(), 'a') == 10);
}

TEST_CASE("a changed weight counts from the next item taken") {
  Fixture f;
  f.push(100, {.tenant = "a"});
  f.push(100, {.tenant = "b"});
  CHECK(f.take_tenants(4) == "abab");
  f.push({.tenant = "b", .weight = 4});
  const std::string taken = f.take_tenants(50);
  CHECK(std::count(taken.begin(), taken.end(), 'b') == 40);
}

TEST_CASE("a tenant that was away has no credit when it comes back") {
  Fixture f;
  f.push(100, {.tenant = "a"});
  f.push({.tenant = "b"});
  f.take_tenants(50);
  f.push(50, {.tenant = "b"});
  const std::string taken = f.take_tenants(20);
  CHECK(std::count(taken.begin(), taken.end(), 'b') == 10);
}

TEST_CASE("a tenant that empties its queue between its items gains nothing by it") {
  Fixture f;
  f.push(100, {.tenant = "a"});
  int served = 0;
  for (int i = 0; i < 40; ++i) {
    if (f.queue.items_of("b") == 0) f.push({.tenant = "b"});
    served += f.take()->tenant == "b" ? 1 : 0;
  }
  CHECK(served == 20);
}

TEST_CASE("a tenant that was skipped for want of items in the chosen lane catches up") {
  Fixture f;
  f.push(100, {.tenant = "a", .lane = 0});
  f.push(100, {.tenant = "a", .lane = 1});
  f.push(100, {.tenant = "b", .lane = 1});
  CHECK(f.take_tenants(6, 0) == "aaaaaa");
  CHECK(f.take_tenants(9, 1) == "bbbbbbaba");
}

TEST_CASE("a better class goes first, and background comes after all others") {
  Fixture f;
  f.push({.priority = Priority::background});
  f.push({.priority = Priority::normal});
  f.push({.tenant = "b", .priority = Priority::background});
  f.push({.tenant = "b", .priority = Priority::interactive});
  f.push({.tenant = "b", .priority = Priority::normal});
  CHECK(f.take_numbers(5) == Numbers{3, 1, 4, 0, 2});
}

TEST_CASE("the classes of a tenant are charged apart") {
  Fixture f;
  f.push(10, {.tenant = "a", .priority = Priority::interactive});
  f.push(10, {.tenant = "b", .priority = Priority::background});
  f.push({.tenant = "a", .priority = Priority::background});
  f.take_tenants(10);
  CHECK(f.take_tenants(2) == "ba");
}

TEST_CASE("an item that waited long enough moves one class up, and once more") {
  Fixture f({.ageing = 100});
  Item& item = f.push({.priority = Priority::background});
  f.queue.age(99);
  CHECK(item.effective_priority() == Priority::background);
  f.queue.age(100);
  CHECK(item.effective_priority() == Priority::normal);
  f.queue.age(199);
  CHECK(item.effective_priority() == Priority::normal);
  f.queue.age(200);
  CHECK(item.effective_priority() == Priority::interactive);
  CHECK(f.view().best == Priority::interactive);
  CHECK(item.priority == Priority::background);
  f.queue.age(10'000);
  CHECK(f.take() == &item);
}

TEST_CASE("ageing that was called late makes up for it") {
  Fixture f({.ageing = 100});
  Item& item = f.push({.priority = Priority::background});
  f.queue.age(1000);
  CHECK(item.effective_priority() == Priority::interactive);
}

TEST_CASE("nothing ages when ageing is off") {
  Fixture f({.ageing = 0});
  Item& item = f.push({.priority = Priority::background});
  f.queue.age(kNever);
  CHECK(item.effective_priority() == Priority::background);
}

TEST_CASE("a promoted item keeps its place by deadline and arrival") {
  Fixture f({.ageing = 100, .patience = 10'000});
  f.push({.priority = Priority::normal, .arrived = 0});
  f.push({.priority = Priority::interactive, .arrived = 50});
  f.queue.age(100);
  f.push({.priority = Priority::interactive, .arrived = 101, .deadline = 5000});
  CHECK(f.take_numbers(3) == Numbers{2, 0, 1});
}

TEST_CASE("an item that came with an old arrival time ages by that time") {
  Fixture f({.ageing = 100});
  Item& young = f.push({.arrived = 90});
  Item& old = f.push({.arrived = 10});
  f.queue.age(110);
  CHECK(old.effective_priority() == Priority::interactive);
  CHECK(young.effective_priority() == Priority::normal);
  CHECK(f.view().oldest == 10);
}

TEST_CASE("an item that does not fit ends the batch instead of letting smaller ones pass") {
  Fixture f;
  f.push({.cost = 5, .rows = 8});
  f.push({.cost = 1, .rows = 1});
  CHECK(f.queue.take(0, 7, 100, false) == nullptr);
  CHECK(f.queue.take(0, 100, 4.5, false) == nullptr);
  CHECK(f.queue.items() == 2);
  CHECK(f.queue.take(0, 8, 5, false) == &f.items[0]);
}

TEST_CASE("the first item of a batch is taken whatever its size") {
  Fixture f;
  f.push({.cost = 500, .rows = 800});
  CHECK(f.queue.take(0, 1, 1, true) == &f.items[0]);
}

TEST_CASE("an item that was refused for its size is not charged") {
  Fixture f;
  f.push(4, {.tenant = "a", .rows = 2});
  f.push(4, {.tenant = "b", .rows = 2});
  for (int i = 0; i < 10; ++i) CHECK(f.queue.take(0, 1, kAllCost, false) == nullptr);
  CHECK(f.take_tenants(4) == "abab");
}

TEST_CASE("a removed item is never taken, and removing it again does nothing") {
  Fixture f;
  f.push(5, {});
  CHECK(f.queue.remove(f.items[2]));
  CHECK_FALSE(f.items[2].queued());
  CHECK_FALSE(f.queue.remove(f.items[2]));
  CHECK(f.take_numbers(4) == Numbers{0, 1, 3, 4});
  CHECK_FALSE(f.queue.remove(f.items[0]));
}

TEST_CASE("an item can be queued again after it left") {
  Fixture f;
  Item& item = f.push({.priority = Priority::background, .lane = 3});
  f.take(3);
  item.priority = Priority::interactive;
  item.lane = 4;
  f.queue.push(item, "b", 2);
  CHECK(f.queue.items_of("b") == 1);
  CHECK(f.take(3) == nullptr);
  CHECK(f.take(4) == &item);
}

TEST_CASE("a tenant is not charged for what was removed") {
  Fixture f;
  f.push(10, {.tenant = "a"});
  f.push(10, {.tenant = "b"});
  for (int number = 0; number < 8; ++number) f.queue.remove(f.items[std::size_t(number)]);
  CHECK(f.take_tenants(4) == "abab");
}

TEST_CASE("totals and views add up what waits") {
  Fixture f;
  f.push({.priority = Priority::background, .arrived = 7, .lane = 5, .cost = 2.5, .rows = 2});
  f.push({.tenant = "b", .arrived = 9, .deadline = 70, .lane = 5, .cost = 4, .rows = 3});
  f.push({.tenant = "b", .arrived = 8, .lane = 6});
  CHECK(f.queue.items() == 3);
  CHECK(f.queue.rows() == 6);
  CHECK(f.queue.cost() == 7.5);
  CHECK(f.queue.items_of("b") == 2);
  CHECK(f.queue.lanes() == 2);
  const LaneView five = f.view(5);
  CHECK(five.items == 2);
  CHECK(five.rows == 5);
  CHECK(five.cost == 6.5);
  CHECK(five.oldest == 7);
  CHECK(five.earliest_deadline == 70);
  CHECK(five.best == Priority::normal);
  CHECK(f.view(6).earliest_deadline == kNever);
}

TEST_CASE("a lane that was emptied is gone from the views, and comes back new") {
  Fixture f;
  f.push({.deadline = 10, .lane = 1});
  f.queue.passed(1);
  f.take(1);
  CHECK(f.queue.lanes() == 0);
  f.push({.lane = 1});
  const LaneView view = f.view(1);
  CHECK(view.items == 1);
  CHECK(view.passed_over == 0);
  CHECK(view.earliest_deadline == kNever);
}

TEST_CASE("a lane counts how often it was passed over since something was taken from it") {
  Fixture f;
  f.push(3, {});
  f.queue.passed(0);
  f.queue.passed(0);
  CHECK(f.view().passed_over == 2);
  f.push({});
  CHECK(f.view().passed_over == 2);
  f.take();
  CHECK(f.view().passed_over == 0);
}

TEST_CASE("the share of a lane is the least virtual time of its best class") {
  Fixture f;
  f.push(10, {.tenant = "a", .lane = 0});
  f.push(10, {.tenant = "a", .lane = 1});
  f.push(10, {.tenant = "b", .weight = 2, .lane = 1});
  f.take_tenants(3, 0);
  CHECK(f.view(0).share == 3);
  CHECK(f.view(1).share == 0);
  f.take_tenants(6, 1);
  CHECK(f.view(1).share == 3);
}

TEST_CASE("the tenant with the most queued per weight loses its last item to a newcomer") {
  Fixture f;
  f.push(6, {.tenant = "a", .weight = 3});
  f.push(5, {.tenant = "b", .weight = 1});
  f.push({.tenant = "b", .deadline = 5});
  CHECK(f.queue.victim("c", 1) == &f.items[10]);
  f.queue.remove(f.items[10]);
  CHECK(f.queue.victim("c", 1) == &f.items[9]);
}

TEST_CASE("the last item is looked for in the worst class, in all lanes") {
  Fixture f;
  f.push({.priority = Priority::background, .arrived = 5, .lane = 1});
  f.push({.priority = Priority::background, .arrived = 9, .lane = 2});
  f.push({.priority = Priority::background, .arrived = 6, .lane = 3});
  f.push({.priority = Priority::interactive, .arrived = 10, .lane = 1});
  CHECK(f.queue.victim("b", 1) == &f.items[1]);
}

TEST_CASE("a newcomer that has as much queued as anybody is refused") {
  Fixture f;
  f.push(4, {.tenant = "a"});
  f.push(4, {.tenant = "b"});
  CHECK(f.queue.victim("a", 1) == nullptr);
  CHECK(f.queue.victim("b", 1) == nullptr);
  CHECK(f.queue.victim("b", 2) != nullptr);
  CHECK(f.queue.victim("b", 1) == nullptr);
}

TEST_CASE("a newcomer whose item would make it the heaviest is refused: no ping-pong") {
  Fixture f;
  f.push(5, {.tenant = "a"});
  f.push(4, {.tenant = "b"});
  CHECK(f.queue.victim("b", 1, 0) == &f.items[4]);
  CHECK(f.queue.victim("b", 1, 1) == nullptr);
}

TEST_CASE("a queue that is destroyed lets go of its items") {
  Item item;
  {
    FairQueue queue;
    queue.push(item, "a", 1);
    CHECK(item.queued());
  }
  CHECK_FALSE(item.queued());
}

TEST_CASE("a cost too small to count next to virtual time does not make a tenant free") {
  Fixture f;
  f.push({.tenant = "a", .cost = 1e20});
  f.push({.tenant = "b", .cost = 1e20});
  f.push(10, {.tenant = "a"});
  f.push(10, {.tenant = "b"});
  CHECK(f.take_tenants(8) == "abababab");
}
