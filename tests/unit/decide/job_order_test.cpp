#include "decide/job_order.hpp"

#include <random>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr Handicaps kPlain = {0, 100, 1'000};

Nanos key(Nanos run_at, Priority priority) { return order_key(run_at, priority, kPlain); }

}  // namespace

TEST_CASE("a better class goes first among jobs of the same time") {
  CHECK(key(5, Priority::interactive) < key(5, Priority::normal));
  CHECK(key(5, Priority::normal) < key(5, Priority::background));
}

TEST_CASE("a job is passed by better ones that come within its handicap, by no later ones") {
  CHECK(key(1'004, Priority::interactive) < key(5, Priority::background));
  CHECK(key(1'006, Priority::interactive) > key(5, Priority::background));
}

TEST_CASE("within a class the earlier one goes first") {
  std::mt19937_64 random(31);
  for (int i = 0; i < 10'000; ++i) {
    const auto at = static_cast<Nanos>(random() >> 2);
    const auto priority = static_cast<Priority>(random() % kPriorities);
    CHECK(order_key(at, priority) < order_key(at + 1, priority));
  }
}

TEST_CASE("a time that never comes stays last") {
  CHECK(key(kNever, Priority::background) == kNever);
  CHECK(key(kNever - 5, Priority::background) == kNever);
}
