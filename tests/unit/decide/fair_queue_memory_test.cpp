// What the queue allocates, and what it does when it can't: with a global operator new that counts,
// and fails when told to.
#include <cstdlib>
#include <new>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "decide/fair_queue.hpp"
#include "unit/decide/fair_items.hpp"

using namespace fair_test;

namespace {

constexpr int kUnlimited = -1;

thread_local int allocations = 0;
thread_local int allowed = kUnlimited;

}  // namespace

// Not inlined: g++ would see malloc meet delete, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (allowed == 0) throw std::bad_alloc();
  if (allowed > 0) --allowed;
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept try {
  return operator new(size);
} catch (const std::bad_alloc&) {
  return nullptr;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

/// 256 items of several tenants, classes, lanes and deadlines come and go.
void one_round(FairQueue& queue, std::vector<Item>& items, Nanos start) {
  static constexpr std::string_view kTenants[] = {"a", "b", "a tenant with a name that is long"};
  for (std::size_t i = 0; i < items.size(); ++i) {
    Item& item = items[i];
    item.arrived = start + static_cast<Nanos>(i);
    item.lane = static_cast<std::uint32_t>(i % 4);
    item.priority = static_cast<Priority>(i / 4 % 3);
    item.deadline = i % 2 == 0 ? kNever : start + static_cast<Nanos>(i * 7919 % 500);
    queue.push(item, kTenants[i / 12 % 3], 1);
  }
  queue.age(start + 200);
  for (std::uint32_t lane = 0; lane < 4; ++lane) {
    for (int i = 0; i < 32; ++i) queue.take(lane, kAllRows, kAllCost, true);
  }
  for (Item& item : items) queue.remove(item);
}

/// The queue serves the item, and nothing is left of the attempts before.
void check_works(FairQueue& queue, Item& item) {
  queue.push(item, "a", 1);
  CHECK(queue.items() == 1);
  CHECK(queue.lanes() == 1);
  CHECK(queue.take(item.lane, kAllRows, kAllCost, true) == &item);
  CHECK(queue.lanes() == 0);
}

}  // namespace

TEST_CASE("a queue that has grown to its traffic allocates nothing more") {
  FairQueue queue({.ageing = 150});
  std::vector<Item> items(256);
  for (int round = 0; round < 30; ++round) one_round(queue, items, round * 1000);
  const int before = allocations;
  for (int round = 30; round < 200; ++round) one_round(queue, items, round * 1000);
  CHECK(allocations == before);
}

TEST_CASE("more tenants than are remembered may come and go without an allocation") {
  FairQueue queue;
  Item item;
  const auto visit = [&](int number) {
    char name[] = "tenant 0000";
    for (int i = 10; i >= 7; --i, number /= 10) name[i] = static_cast<char>('0' + number % 10);
    queue.push(item, name, 1);
    queue.take(0, kAllRows, kAllCost, true);
  };
  for (int i = 0; i < 2000; ++i) visit(i);
  const int before = allocations;
  for (int i = 0; i < 9000; ++i) visit(i);
  CHECK(allocations == before);
}

TEST_CASE("an item whose push runs out of memory is not queued, and the queue is as before") {
  int failures = 0;
  for (int budget = 0;; ++budget) {
    FairQueue queue;
    Item item;
    item.deadline = 5;
    item.lane = 9;
    bool failed = false;
    allowed = budget;
    try {
      queue.push(item, "a", 1);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    allowed = kUnlimited;
    if (!failed) break;
    ++failures;
    CHECK_FALSE(item.queued());
    CHECK(queue.items() == 0);
    CHECK(queue.lanes() == 0);
    CHECK(queue.items_of("a") == 0);
    check_works(queue, item);
  }
  CHECK(failures > 5);
}

TEST_CASE("an item that can't be promoted for want of memory is promoted another time") {
  int failures = 0;
  for (int budget = 0;; ++budget) {
    FairQueue queue({.ageing = 10});
    Item item;
    queue.push(item, "a", 1);
    allowed = budget;
    queue.age(20);
    allowed = kUnlimited;
    if (item.effective_priority() == Priority::interactive) break;
    ++failures;
    CHECK(item.effective_priority() == Priority::normal);
    queue.age(20);
    CHECK(item.effective_priority() == Priority::interactive);
    CHECK(queue.take(0, kAllRows, kAllCost, true) == &item);
  }
  CHECK(failures > 0);
}
